import { describe, expect, it } from 'vitest';
import { parseVisit, type Visit } from './visit';

const VISIT: Visit = {
  guest: { api_address: 'http://localhost', meeting_id: 'm', participant_id: 'p', participant_secret: 's' },
  name: 'Ana',
};

describe('a stay that a reload continues', () => {
  it('comes back as it was', () => {
    expect(parseVisit(JSON.stringify(VISIT))).toEqual(VISIT);
  });

  it.each([null, '', 'null', '{}', '{"guest":{},"name":"Ana"}', '{"guest":null,"name":"Ana"}'])(
    'is none when it is %s',
    (stored) => {
      expect(parseVisit(stored)).toBeNull();
    },
  );
});
