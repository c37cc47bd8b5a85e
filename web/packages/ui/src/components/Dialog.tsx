import { X } from 'lucide-react';
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { IconButton } from './Button';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly size?: 'narrow' | 'wide';
  readonly testId?: string;
}

/** A modal dialog. The browser keeps the focus inside, closes it on Esc and gives the focus back. */
export function Dialog({ title, onClose, children, size = 'narrow', testId }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => {
      dialog?.close();
    };
  }, []);
  useBackdropClick(ref, onClose);
  return (
    <dialog
      ref={ref}
      className={`dialog dialog--${size}`}
      aria-labelledby={titleId}
      data-testid={testId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header className="dialog__head">
        <h2 id={titleId} className="dialog__title">
          {title}
        </h2>
        <IconButton label="Close" onClick={onClose} data-testid="dialog-close">
          <X className="icon" size={22} aria-hidden />
        </IconButton>
      </header>
      <div className="dialog__body">{children}</div>
    </dialog>
  );
}

/** A click beside the dialog closes it. */
function useBackdropClick(ref: { readonly current: HTMLDialogElement | null }, onClose: () => void) {
  const close = useRef(onClose);
  useEffect(() => {
    close.current = onClose;
  });
  useEffect(() => {
    const dialog = ref.current;
    const listener = (event: MouseEvent) => {
      // Everything visible is inside the head or the body; the dialog itself is hit on its backdrop only.
      if (event.target === dialog) {
        close.current();
      }
    };
    dialog?.addEventListener('click', listener);
    return () => {
      dialog?.removeEventListener('click', listener);
    };
  }, [ref]);
}
