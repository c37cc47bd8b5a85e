import type { ChatEntry } from '@althing/sdk';
import { MessageSquareText, SendHorizontal, X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { useSession, useSessionState } from '../../hooks/context';
import { type ChatGroup, chatGroups } from '../../model/chat-view';
import { linkify } from '../../model/links';
import { Avatar } from '../Avatar';
import { IconButton } from '../Button';

/** Longest message, in characters; the server's limit. */
const CHAT_CHARS_MAX = 4_000;

/** The chat of the meeting. */
export function ChatPanel({ onClose }: { readonly onClose: () => void }) {
  const chat = useSessionState((state) => state.chat);
  const groups = useMemo(() => chatGroups(chat), [chat]);
  const list = useStickToEnd(chat.length);
  return (
    <aside className="panel" aria-label="Chat" data-testid="chat-panel">
      <header className="panel__head">
        <h2 className="panel__title">Chat</h2>
        <IconButton label="Close chat" onClick={onClose} data-testid="panel-close">
          <X className="icon" size={22} aria-hidden />
        </IconButton>
      </header>
      <div className="chat" ref={list} role="log" aria-label="Messages" data-testid="chat-messages">
        {groups.length === 0 ? <Empty /> : groups.map((group) => <Group key={group.key} group={group} />)}
      </div>
      <Composer />
    </aside>
  );
}

function Empty() {
  return (
    <div className="panel__empty">
      <MessageSquareText className="icon" size={36} aria-hidden />
      <p>Messages are seen by everybody here, and gone when the meeting is over.</p>
    </div>
  );
}

/** Keeps the newest message in view unless the user scrolled back. */
function useStickToEnd(count: number) {
  const ref = useRef<HTMLDivElement>(null);
  const sticks = useRef(true);
  useEffect(() => {
    const element = ref.current;
    const listener = () => {
      sticks.current = element !== null && element.scrollHeight - element.scrollTop - element.clientHeight < 80;
    };
    element?.addEventListener('scroll', listener, { passive: true });
    return () => {
      element?.removeEventListener('scroll', listener);
    };
  }, []);
  useLayoutEffect(() => {
    if (sticks.current && ref.current !== null) {
      ref.current.scrollTop = ref.current.scrollHeight;
    }
  }, [count]);
  return ref;
}

const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

function Group({ group }: { readonly group: ChatGroup }) {
  return (
    <section className="chat__group" data-own={group.own} aria-label={`${group.name}, ${TIME.format(group.atMs)}`}>
      {!group.own && <Avatar name={group.name} colour={group.colour} size="32px" />}
      <div className="chat__stack">
        <p className="chat__by" aria-hidden>
          <strong>{group.name}</strong> <time>{TIME.format(group.atMs)}</time>
        </p>
        {group.entries.map((entry) => (
          <Message key={entry.key} entry={entry} />
        ))}
      </div>
    </section>
  );
}

function Message({ entry }: { readonly entry: ChatEntry }) {
  const session = useSession();
  return (
    <div className="chat__message" data-delivery={entry.delivery} data-testid="chat-message">
      <p className="chat__text">
        {linkify(entry.text).map((part, index) =>
          part.kind === 'link' ? (
            <a key={index} href={part.href} target="_blank" rel="noopener noreferrer nofollow">
              {part.text}
            </a>
          ) : (
            part.text
          ),
        )}
      </p>
      {entry.delivery === 'failed' && (
        <button
          type="button"
          className="chat__retry"
          onClick={() => {
            session.sendChat(entry.text, entry.to ?? undefined);
          }}
        >
          Not sent. Send again
        </button>
      )}
    </div>
  );
}

function Composer() {
  const session = useSession();
  const [text, setText] = useState('');
  const input = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    input.current?.focus({ preventScroll: true });
  }, []);
  const send = () => {
    if (text.trim() !== '') {
      session.sendChat(text.trim());
      setText('');
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes, Enter belongs to it.
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      send();
    }
  };
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={input}
        className="composer__input"
        rows={1}
        value={text}
        maxLength={CHAT_CHARS_MAX}
        placeholder="Message to everybody"
        aria-label="Message to everybody"
        data-testid="chat-input"
        onChange={(event) => {
          setText(event.target.value);
        }}
        onKeyDown={onKeyDown}
      />
      <button
        type="submit"
        className="icon-button composer__send"
        aria-label="Send message"
        disabled={text.trim() === ''}
        data-testid="chat-send"
      >
        <SendHorizontal className="icon" size={20} aria-hidden />
      </button>
    </form>
  );
}
