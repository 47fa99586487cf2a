// What does Microsoft's own reader say of cards? Takes a list of them, answers for each what it took and what it found.
const { readFileSync } = require("node:fs");
// The built file: its modules name others in a way that Node does not find.
const { AdaptiveCard, SerializationContext, Versions } = require("adaptivecards/dist/adaptivecards.js");

const read = (given) => {
  const context = new SerializationContext(Versions.v1_4);
  const card = new AdaptiveCard();
  card.parse(given, context);
  const noted = Array.from({ length: context.eventCount }, (_, at) => context.getEventAt(at).message);
  const wrong = card.validateProperties().validationEvents.map((event) => event.message);
  return { items: card.getItemCount(), problems: [...noted, ...wrong] };
};
console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(read)));
