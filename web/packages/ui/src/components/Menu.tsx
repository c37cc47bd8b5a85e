import { Check } from 'lucide-react';
import { createContext, type KeyboardEvent, type ReactNode, use, useId, useRef, useState } from 'react';

interface MenuProps {
  /** Says what the button opens. */
  readonly label: string;
  /** The button's content. */
  readonly button: ReactNode;
  readonly buttonClass: string;
  readonly children: ReactNode;
  readonly testId?: string;
  readonly onOpenChange?: (open: boolean) => void;
}

const CloseMenu = createContext<() => void>(() => undefined);

/** Width of menus, in CSS pixels; on phones they are sheets of the screen's width. */
const MENU_WIDTH = 300;

/** Space kept to the edges of the window and to the button, in CSS pixels. */
const MENU_MARGIN = 8;

/**
 * A button that opens a menu. The browser's popover closes it on Esc and on a press elsewhere; arrow keys move in it.
 */
export function Menu({ label, button, buttonClass, children, testId, onOpenChange }: MenuProps) {
  const id = useId();
  const anchor = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);

  const change = (open: boolean) => {
    setOpen(open);
    onOpenChange?.(open);
  };
  return (
    <>
      <button
        ref={anchor}
        type="button"
        className={buttonClass}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        title={label}
        popoverTarget={id}
        data-testid={testId}
      >
        {button}
      </button>
      <div
        ref={menu}
        id={id}
        popover="auto"
        role="menu"
        tabIndex={-1}
        aria-label={label}
        className="menu"
        onKeyDown={moveByArrows}
        onBeforeToggle={(event) => {
          if (event.newState === 'open') {
            placeBeside(event.currentTarget, anchor.current);
            change(true);
          }
        }}
        onToggle={(event) => {
          // What is in it goes only now: the browser gives the focus back while the focused item is still there.
          if (event.newState === 'open') {
            focusFirst(event.currentTarget);
          } else {
            change(false);
          }
        }}
      >
        <CloseMenu value={() => menu.current?.hidePopover()}>{isOpen ? children : null}</CloseMenu>
      </div>
    </>
  );
}

function placeBeside(menu: HTMLElement, anchor: HTMLElement | null) {
  if (anchor === null) {
    return;
  }
  const at = anchor.getBoundingClientRect();
  const left = Math.min(at.left, innerWidth - MENU_WIDTH - MENU_MARGIN);
  menu.style.width = `${MENU_WIDTH}px`;
  menu.style.left = `${Math.max(MENU_MARGIN, left)}px`;
  const isLow = at.top > innerHeight / 2;
  menu.style.top = isLow ? 'auto' : `${at.bottom + MENU_MARGIN}px`;
  menu.style.bottom = isLow ? `${innerHeight - at.top + MENU_MARGIN}px` : 'auto';
  menu.style.maxHeight = `${(isLow ? at.top : innerHeight - at.bottom) - 2 * MENU_MARGIN}px`;
}

function items(menu: HTMLElement): HTMLElement[] {
  return [...menu.querySelectorAll<HTMLElement>('[role^="menuitem"]:not(:disabled)')];
}

function focusFirst(menu: HTMLElement) {
  const all = items(menu);
  (all.find((item) => item.getAttribute('aria-checked') === 'true') ?? all[0] ?? menu).focus();
}

function moveByArrows(event: KeyboardEvent<HTMLElement>) {
  const all = items(event.currentTarget);
  const at = all.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? -1 : at - 1, Home: 0, End: -1 }[event.key];
  if (to === undefined || all.length === 0) {
    return;
  }
  event.preventDefault();
  all.at(to % all.length)?.focus();
}

interface MenuItemProps {
  readonly children: ReactNode;
  readonly onSelect: () => void;
  readonly icon?: ReactNode;
  readonly note?: string;
  readonly shortcut?: string;
  readonly danger?: boolean;
  readonly disabled?: boolean;
  /** Makes it a choice among others. */
  readonly checked?: boolean;
  /** The menu stays open. */
  readonly keepOpen?: boolean;
  readonly testId?: string;
}

/** One line of a menu. */
export function MenuItem(props: MenuItemProps) {
  const close = use(CloseMenu);
  const isChoice = props.checked !== undefined;
  return (
    <button
      type="button"
      role={isChoice ? 'menuitemradio' : 'menuitem'}
      aria-checked={props.checked}
      disabled={props.disabled}
      className={props.danger === true ? 'menu__item menu__item--danger' : 'menu__item'}
      data-testid={props.testId}
      onClick={() => {
        props.onSelect();
        if (props.keepOpen !== true) {
          close();
        }
      }}
    >
      {props.checked === undefined ? props.icon : <Tick on={props.checked} />}
      <span className="menu__text">
        {props.children}
        {props.note !== undefined && <span className="menu__note">{props.note}</span>}
      </span>
      {props.shortcut !== undefined && <kbd className="menu__key">{props.shortcut}</kbd>}
    </button>
  );
}

function Tick({ on }: { readonly on: boolean }) {
  return <Check className="icon" size={20} aria-hidden visibility={on ? 'visible' : 'hidden'} />;
}

/** A heading inside a menu. */
export function MenuHeading({ children }: { readonly children: ReactNode }) {
  return <div className="menu__heading">{children}</div>;
}

/** A line between groups. */
export function MenuLine() {
  return <hr className="menu__line" />;
}
