import type { ReactNode } from 'react';

interface ToolButtonProps {
  readonly label: string;
  readonly shortcut?: string;
  readonly pressed?: boolean;
  readonly testId: string;
  readonly children: ReactNode;
  readonly badge?: string;
  readonly onClick: () => void;
}

/** A button of the toolbar. */
export function ToolButton({ label, shortcut, pressed, testId, children, badge, onClick }: ToolButtonProps) {
  return (
    <button
      type="button"
      className="tool__button"
      aria-label={label}
      aria-pressed={pressed}
      aria-keyshortcuts={shortcut}
      title={shortcut === undefined ? label : `${label} (${shortcut})`}
      data-testid={testId}
      onClick={onClick}
    >
      {children}
      {badge !== undefined && badge !== '' && (
        <span className="badge" data-testid={`${testId}-badge`} aria-hidden>
          {badge}
        </span>
      )}
    </button>
  );
}
