import { Check, Copy, Share2 } from 'lucide-react';
import { useRef, useState } from 'react';
import type { InviteLinks } from '../../model/invite';
import { Button } from '../Button';
import { Dialog } from '../Dialog';
import { QrCode } from '../QrCode';

interface InviteDialogProps {
  readonly links: InviteLinks;
  readonly onClose: () => void;
}

/** The link to copy, and a code for phones. */
export function InviteDialog({ links, onClose }: InviteDialogProps) {
  // A link of this machine only is of no use to others, when there is one that they can open.
  const link = links.isLocalOnly && links.phone !== null ? links.phone : links.link;
  return (
    <Dialog title="Invite people" onClose={onClose} testId="invite-dialog">
      <p className="invite__text">Whoever has this link can join.</p>
      <CopyLink link={link} />
      {links.isLocalOnly && link !== links.link && (
        <>
          <p className="invite__text">In another browser on this computer:</p>
          <CopyLink link={links.link} testId="copy-link-local" />
        </>
      )}
      {links.phone !== null && (
        <div className="invite__qr">
          <QrCode text={links.phone} label={`QR code of ${links.phone}`} />
          <p className="invite__text">
            Point a phone’s camera here.
            {links.isLocalOnly && ' It must be in the same network as this computer.'}
            {links.phone.startsWith('https:') && links.isLocalOnly && (
              <> The first time, the phone warns about the certificate: choose to go on.</>
            )}
          </p>
        </div>
      )}
      {links.phone === null && links.isLocalOnly && (
        <p className="invite__text" data-testid="invite-local-only">
          This link works on this computer only: the server has no address in a network.
        </p>
      )}
    </Dialog>
  );
}

/** A link with a button that copies it. */
export function CopyLink({ link, testId = 'copy-link' }: { readonly link: string; readonly testId?: string }) {
  const field = useRef<HTMLInputElement>(null);
  const [state, setState] = useState<'idle' | 'copied' | 'manual'>('idle');
  const copy = async () => {
    setState((await copied(link, field.current)) ? 'copied' : 'manual');
  };
  return (
    <div className="copy">
      <input
        ref={field}
        className="input copy__link"
        readOnly
        value={link}
        aria-label="Link of the meeting"
        data-testid={`${testId}-text`}
        onFocus={(event) => {
          event.target.select();
        }}
      />
      <Button tone="primary" onClick={() => void copy()} data-testid={testId}>
        {state === 'copied' ? (
          <Check className="icon" size={20} aria-hidden />
        ) : (
          <Copy className="icon" size={20} aria-hidden />
        )}
        {state === 'copied' ? 'Copied' : 'Copy'}
      </Button>
      {'share' in navigator && (
        <Button
          tone="quiet"
          aria-label="Send the link by another program"
          onClick={() => {
            navigator.share({ url: link }).catch(() => undefined);
          }}
        >
          <Share2 className="icon" size={20} aria-hidden />
        </Button>
      )}
      <span className="visually-hidden" role="status">
        {state === 'copied' && 'Link copied'}
        {state === 'manual' && 'The browser does not let us copy. The link is selected: press Ctrl and C.'}
      </span>
    </div>
  );
}

/** Copies; on pages that may not use the clipboard selects the field, so that the keyboard can. */
async function copied(text: string, field: HTMLInputElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field?.select();
    return false;
  }
}
