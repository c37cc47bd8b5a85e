/** A meeting over several media units, one of which fails. */
import { expect } from '@playwright/test';

import { meetingTest } from '../harness/fixtures.ts';
import type { Person } from '../harness/meet.ts';
import { serverForThisFile, TWO_UNITS } from '../harness/server.ts';

const server = serverForThisFile(TWO_UNITS);
const test = meetingTest(server);

test('a unit that fails costs its own people a moment, and the others nothing', async ({ meeting }) => {
  // Two on the first unit, one on the second.
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  const chi = await meeting.join('Chi');
  for (const [person, ...others] of [
    [ana, bo, chi],
    [bo, ana, chi],
    [chi, ana, bo],
  ] as const) {
    await person.seesAll(others);
  }
  const people = [ana, bo, chi];
  const connections = () => Promise.all(people.map((p) => p.page.evaluate(() => window.peerConnections.length)));
  expect(await connections()).toEqual([1, 1, 1]);

  const failed = Date.now();
  server().failUnit();
  await expect.poll(connections, { message: 'two connect anew', intervals: [100] }).toContain(2);
  const seen = people.flatMap((person) => people.filter((other) => other !== person).map((other) => [person, other]));
  const times = await Promise.all(
    seen.map(async ([person, other]) => {
      await person?.sees(person.tileOf(other as Person));
      return Date.now() - failed;
    }),
  );
  expect((await connections()).sort(), 'whoever was on the other unit keeps the connection').toEqual([1, 2, 2]);
  console.log(`    everybody is seen again after ${times.join(', ')} ms`);
});
