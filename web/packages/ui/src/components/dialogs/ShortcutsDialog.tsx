import { SHORTCUT_HELP } from '../../model/shortcuts';
import { Dialog } from '../Dialog';

/** The list of shortcuts. */
export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose} testId="shortcuts-dialog">
      <dl className="keys">
        {SHORTCUT_HELP.map(({ keys, text }) => (
          <div key={text} className="keys__row">
            <dt>{text}</dt>
            <dd>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
