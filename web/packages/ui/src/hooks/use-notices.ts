import { useCallback, useEffect, useState } from 'react';
import { addNotice, expireNotices, NO_NOTICES, type Notice } from '../model/notices';

/** Tells the user something in passing. */
export type Notify = (text: string, tone?: Notice['tone']) => void;

/** Short messages that go away by themselves. */
export function useNotices(): { notices: readonly Notice[]; notify: Notify } {
  const [notices, setNotices] = useState(NO_NOTICES);
  const notify = useCallback<Notify>((text, tone = 'info') => {
    setNotices((before) => addNotice(before, text, tone, Date.now()));
  }, []);
  const nextMs = notices.list.reduce((least, notice) => Math.min(least, notice.untilMs), Number.POSITIVE_INFINITY);
  useEffect(() => {
    if (nextMs === Number.POSITIVE_INFINITY) {
      return;
    }
    const timer = setTimeout(
      () => {
        setNotices((before) => expireNotices(before, Date.now()));
      },
      Math.max(0, nextMs - Date.now()) + 10,
    );
    return () => {
      clearTimeout(timer);
    };
  }, [nextMs]);
  return { notices: notices.list, notify };
}
