/** The speaker layout: the room chooses, so all screens change alike. */
import { expect, type Page } from '@playwright/test';

import { meetingTest } from '../harness/fixtures.ts';
import type { Person } from '../harness/meet.ts';
import { serverForThisFile, TWO_UNITS } from '../harness/server.ts';
import { cough, shownLarge, speak, useVoice, watchLarge } from '../harness/voice.ts';

const test = meetingTest(serverForThisFile(TWO_UNITS));

async function prepare(page: Page): Promise<void> {
  await useVoice(page);
  await watchLarge(page);
}

/** Waits until this one is large; gives when that was. */
async function isLarge(viewer: Person, who: string): Promise<number> {
  await expect.poll(async () => (await shownLarge(viewer.page)).at(-1)?.who).toBe(who);
  return (await shownLarge(viewer.page)).at(-1)?.at ?? 0;
}

test('all screens show who speaks, the speaker sees who spoke before, a cough changes nothing (S3-33 to S3-36)', async ({
  meeting,
}) => {
  test.slow();
  const people: Person[] = [];
  for (const name of ['Ana', 'Bo', 'Chi', 'Dai']) people.push(await meeting.join(name, { prepare }));
  const [ana, bo, chi, dai] = people as [Person, Person, Person, Person];
  await dai.seesAll([ana, bo, chi]);
  const ids = new Map<Person, string>();
  for (const person of people) ids.set(person, await person.participantId());
  const id = (person: Person) => ids.get(person) ?? '';

  let before = ana;
  await speak(ana.page, true);
  for (const viewer of [bo, chi, dai]) await isLarge(viewer, id(ana));
  await speak(ana.page, false);
  for (const speaker of [bo, dai, chi, ana]) {
    await speak(speaker.page, true);
    const times = [];
    for (const viewer of people) {
      if (viewer !== speaker && viewer !== before) times.push(await isLarge(viewer, id(speaker)));
    }
    expect(Math.max(...times) - Math.min(...times), 'milliseconds from the first screen to the last').toBeLessThan(300);
    await isLarge(before, id(speaker));
    await isLarge(speaker, id(before));
    await speak(speaker.page, false);
    before = speaker;
  }

  // A cough, from its first sound to when it is forgotten.
  const seen = async () => Promise.all(people.map(async (person) => (await shownLarge(person.page)).length));
  const beforeCough = await seen();
  await cough(bo.page, 500);
  await expect(dai.tileOf(bo)).toHaveAttribute('data-speaking', 'true');
  await expect(dai.tileOf(bo)).toHaveAttribute('data-speaking', 'false');
  expect(await seen()).toEqual(beforeCough);

  // The same order everywhere, but for oneself.
  const order = async (viewer: Person) =>
    await viewer.tiles('camera').evaluateAll((tiles) =>
      tiles
        .map((tile) => ({
          who: tile.getAttribute('data-participant'),
          top: tile.getBoundingClientRect().top,
          large: tile.getAttribute('data-role') === 'large',
        }))
        .sort((a, b) => Number(b.large) - Number(a.large) || a.top - b.top)
        .map(({ who }) => who),
    );
  const spoke = [ana, chi, dai, bo];
  for (const viewer of people) {
    expect(await order(viewer)).toEqual(spoke.filter((person) => person !== viewer).map(id));
  }
});
