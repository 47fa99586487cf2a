// A calendar as ical-generator writes it: recurring with days left out, a whole day, a cancelled one, one of a zone.
import ical, { ICalEventRepeatingFreq, ICalEventStatus } from "ical-generator";

const calendar = ical({ name: "Ann" });
calendar.createEvent({
  id: "nights", summary: "Nights", timezone: "Europe/Berlin",
  start: new Date("2026-03-23T20:00:00Z"), end: new Date("2026-03-24T05:00:00Z"),
  repeating: { freq: ICalEventRepeatingFreq.DAILY, count: 10, exclude: [new Date("2026-03-27T20:00:00Z")] },
});
calendar.createEvent({
  id: "holiday", summary: "Holiday", allDay: true,
  start: new Date("2026-04-06T12:00:00Z"), end: new Date("2026-04-08T12:00:00Z"),
});
calendar.createEvent({
  id: "off", summary: "Called off", status: ICalEventStatus.CANCELLED,
  start: new Date("2026-03-30T08:00:00Z"), end: new Date("2026-03-30T09:00:00Z"),
});
calendar.createEvent({
  id: "plain", summary: "Plain", start: new Date("2026-04-01T08:00:00Z"), end: new Date("2026-04-01T12:00:00Z"),
});
process.stdout.write(calendar.toString());
