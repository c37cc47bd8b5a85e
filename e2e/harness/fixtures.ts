/** What every test of the meeting app needs: a program, a link to a new meeting, people who are sent home at the end. */
import { type Browser, type Page, test as base } from '@playwright/test';

import { Person } from './meet.ts';
import { newRoom } from './platform.ts';
import type { Server } from './server.ts';

interface Meeting {
  /** The link that people share. */
  readonly link: string;
  readonly room: string;
  join(name: string, options?: Parameters<typeof Person.join>[3]): Promise<Person>;
  open(name: string, options?: Parameters<typeof Person.open>[3]): Promise<Person>;
}

/** Tests of the meeting app against the program of this file. */
export function meetingTest(server: () => Server) {
  return base.extend<{ meeting: Meeting }>({
    meeting: async ({ browser }, use, info) => {
      const room = await newRoom(server().url);
      const people: Person[] = [];
      const keep = async (person: Promise<Person>) => {
        const added = await person;
        people.push(added);
        return added;
      };
      const link = `${server().url}/m/${room}`;
      await use({
        link,
        room,
        join: (name, options) => keep(Person.join(browser, link, name, options)),
        open: (name, options) => keep(Person.open(browser, link, name, options)),
      });
      if (info.status !== info.expectedStatus)
        await showAll(
          people.map((person) => person.page),
          info.title,
          browser,
        );
      for (const person of people) await person.close();
    },
  });

  /** What everybody saw when the test failed. */
  async function showAll(pages: Page[], title: string, browser: Browser) {
    console.log(`${title}: ${pages.length} people, browser ${browser.version()}`);
    for (const [index, page] of pages.entries()) {
      if (page.isClosed()) continue;
      const body = await page.screenshot().catch(() => undefined);
      if (body) await base.info().attach(`person ${index + 1}`, { body, contentType: 'image/png' });
    }
  }
}
