// What does ical.js read in a calendar? Every occurrence between two moments, as JSON. By it ours is checked.
// Usage: node read.mjs <since> <until> < calendar.ics; both are moments in ISO 8601.
import { readFileSync } from "node:fs";

import ICAL from "ical.js";

const [since, until] = process.argv.slice(2).map((text) => new Date(text));
const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, "utf8")));
for (const zone of calendar.getAllSubcomponents("vtimezone")) {
  ICAL.TimezoneService.register(zone);
}

// A day, and a time without a zone, are of whoever reads: they stay as they are.
function shown(time) {
  if (time.isDate || time.zone === ICAL.Timezone.localTimezone) {
    return time.toString();
  }
  return time.toJSDate().toISOString();
}

function clock(time) {
  const told = new Intl.DateTimeFormat("en-GB", {
    timeZone: "Europe/Berlin", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
  return told.format(time.toJSDate());
}

function occurrence(item, start, end) {
  return { uid: item.uid, summary: item.summary, start: shown(start), end: shown(end), berlin: clock(start) };
}

const events = calendar.getAllSubcomponents("vevent").map((one) => new ICAL.Event(one));
const masters = events.filter((one) => !one.isRecurrenceException());
for (const one of events.filter((other) => other.isRecurrenceException())) {
  masters.find((master) => master.uid === one.uid)?.relateException(one);
}
const found = [];
for (const one of masters) {
  if (one.component.getFirstPropertyValue("status") === "CANCELLED") {
    continue;
  }
  if (!one.isRecurring()) {
    found.push(occurrence(one, one.startDate, one.endDate));
    continue;
  }
  const iterator = one.iterator();
  for (let next = iterator.next(); next && next.toJSDate() < until; next = iterator.next()) {
    const { item, startDate, endDate } = one.getOccurrenceDetails(next);
    if (item.component.getFirstPropertyValue("status") !== "CANCELLED") {
      found.push(occurrence(item, startDate, endDate));
    }
  }
}
const meets = (one) => new Date(one.end) > since && new Date(one.start) < until;
process.stdout.write(JSON.stringify(found.filter(meets)));
