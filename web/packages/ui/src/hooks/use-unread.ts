import { useState } from 'react';
import { unreadCount } from '../model/chat-view';
import { useSessionState } from './context';

/** How many messages came since the chat was last open. What was said before one came counts as read. */
export function useUnread(isOpen: boolean): number {
  const chat = useSessionState((state) => state.chat);
  const last = chat.at(-1)?.key ?? null;
  const [seen, setSeen] = useState(last);
  if (isOpen && seen !== last) {
    setSeen(last);
  }
  return isOpen ? 0 : unreadCount(chat, seen);
}
