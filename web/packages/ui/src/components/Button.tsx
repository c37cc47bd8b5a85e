import type { ComponentProps, ReactNode } from 'react';

type ButtonProps = ComponentProps<'button'> & {
  readonly tone?: 'normal' | 'primary' | 'danger' | 'quiet' | 'text';
  readonly large?: boolean;
  readonly wide?: boolean;
};

/** A button with words. */
export function Button({ tone = 'normal', large = false, wide = false, className, ...rest }: ButtonProps) {
  const classes = ['button'];
  if (tone !== 'normal') {
    classes.push(`button--${tone}`);
  }
  if (large) {
    classes.push('button--large');
  }
  if (wide) {
    classes.push('button--wide');
  }
  if (className !== undefined) {
    classes.push(className);
  }
  return <button type="button" {...rest} className={classes.join(' ')} />;
}

type IconButtonProps = Omit<ComponentProps<'button'>, 'children' | 'aria-label'> & {
  /** Says what it does; shown as a tooltip too. */
  readonly label: string;
  readonly children: ReactNode;
};

/** A round button with an icon. */
export function IconButton({ label, className, children, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      title={label}
      {...rest}
      aria-label={label}
      className={className === undefined ? 'icon-button' : `icon-button ${className}`}
    >
      {children}
    </button>
  );
}
