// What the page of a mailed link does: it takes the token out of the address, and calls the API when asked to.
(() => {
  "use strict";
  const DOCUMENTS = /* documents */ {};
  const page = document.body.dataset.page;
  const result = document.getElementById("result");
  const withToken = document.getElementById("with-token");
  const withoutToken = document.getElementById("without-token");

  // The token is kept in this script alone: not in the address bar, the history, or a bookmark.
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (location.hash) history.replaceState(null, "", location.pathname);

  async function ask(field, input) {
    const answer = await fetch("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      // No cookie goes along: the link is all that counts here.
      credentials: "omit",
      body: JSON.stringify({ query: DOCUMENTS[field], variables: { input } }),
    });
    const body = await answer.json();
    if (!body.data || !body.data[field]) {
      throw new Error(body.errors && body.errors[0] ? body.errors[0].message : "the server did not answer as expected");
    }
    return body.data[field];
  }

  function tell(kind, text, more = []) {
    result.className = kind;
    const words = document.createElement("p");
    words.textContent = text;
    const parts = [words];
    if (more.length) {
      const list = document.createElement("ul");
      for (const item of more) {
        const line = document.createElement("li");
        line.textContent = item;
        list.append(line);
      }
      parts.push(list);
    }
    result.replaceChildren(...parts);
    result.focus();
  }

  function sentence(text) {
    const first = text.charAt(0).toUpperCase() + text.slice(1);
    return /[.!?]$/.test(first) ? first : `${first}.`;
  }

  function field(name) {
    return document.getElementById(name);
  }

  function mark(name) {
    for (const input of document.querySelectorAll("input")) input.removeAttribute("aria-invalid");
    const input = name && field(name);
    if (input) {
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-errormessage", "result");
    }
  }

  function done(text) {
    withToken.hidden = true;
    withoutToken.hidden = true;
    mark(null);
    tell("good", text);
  }

  function refuse(refusal) {
    const path = refusal.path && refusal.path[0];
    mark(path);
    tell("bad", sentence(refusal.message), refusal.suggestions || []);
    if (refusal.code === "INVALID_LINK") {
      withToken.hidden = true;
      withoutToken.hidden = false;
    }
  }

  function on(form, act) {
    if (form.tagName !== "FORM") return;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      if (button.disabled) return;
      button.disabled = true;
      result.replaceChildren();
      try {
        await act();
      } catch (error) {
        tell("bad", error instanceof TypeError ? "The server cannot be reached. Try again." : sentence(error.message));
      } finally {
        button.disabled = false;
      }
    });
  }

  function chosenPassword() {
    if (field("password").value === field("again").value) return field("password").value;
    mark("again");
    tell("bad", "The two passwords differ.");
    return null;
  }

  const acts = {
    async verify() {
      const needsPassword = !field("password-field").hidden;
      const input = needsPassword ? { token, password: field("password").value } : { token };
      const answer = await ask("verifyAddress", input);
      if (answer.email) return done(`${answer.email} is confirmed. You can sign in now.`);
      if (answer.code === "INVALID_INPUT" && !needsPassword) {
        field("password-field").hidden = false;
        field("password").required = true;
        field("password").focus();
        return null;
      }
      return refuse(answer);
    },
    async reset() {
      const password = chosenPassword();
      if (password === null) return null;
      const answer = await ask("resetPassword", { token, password });
      return answer.email ? done(`The password of ${answer.email} is set. You can sign in with it now.`) : refuse(answer);
    },
    async invitation() {
      const password = chosenPassword();
      if (password === null) return null;
      const input = { token, password };
      for (const name of ["firstName", "lastName"]) if (field(name).value.trim()) input[name] = field(name).value;
      const answer = await ask("acceptInvitation", input);
      return answer.email ? done(`Welcome. You can sign in as ${answer.email} now.`) : refuse(answer);
    },
    async address() {
      const answer = await ask("confirmAddressChange", { token });
      return answer.email ? done(`Your account has the address ${answer.email} now.`) : refuse(answer);
    },
  };
  const requests = { verify: "resendVerification", reset: "requestPasswordReset" };

  on(withToken, acts[page]);
  on(withoutToken, async () => {
    const answer = await ask(requests[page], { email: field("email").value });
    return answer.code ? refuse(answer) : done(answer.message);
  });
  (token ? withToken : withoutToken).hidden = false;
})();
