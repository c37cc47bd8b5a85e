import { ChevronDown } from 'lucide-react';
import type { ReactNode } from 'react';

/** A choice of a select or of segments. */
export interface Choice<T extends string> {
  readonly value: T;
  readonly text: string;
  readonly icon?: ReactNode;
}

interface SelectProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly choices: readonly Choice<T>[];
  readonly onChange: (value: T) => void;
  readonly icon?: ReactNode;
  readonly hint?: string;
  readonly disabled?: boolean;
  readonly hideLabel?: boolean;
  readonly testId?: string;
}

/** The browser's own select: the best one on phones, and accessible. */
export function Select<T extends string>(props: SelectProps<T>) {
  return (
    <label className="field">
      <span className={props.hideLabel === true ? 'visually-hidden' : 'field__label'}>{props.label}</span>
      <span className="select-wrap">
        {props.icon}
        <select
          className={props.icon === undefined ? 'select select--plain' : 'select'}
          value={props.value}
          disabled={props.disabled}
          data-testid={props.testId}
          onChange={(event) => {
            props.onChange(event.target.value as T);
          }}
        >
          {props.choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.text}
            </option>
          ))}
        </select>
        <ChevronDown className="icon" size={20} aria-hidden />
      </span>
      {props.hint !== undefined && <span className="field__hint">{props.hint}</span>}
    </label>
  );
}

interface SegmentedProps<T extends string> {
  readonly label: string;
  readonly name: string;
  readonly value: T;
  readonly choices: readonly Choice<T>[];
  readonly onChange: (value: T) => void;
}

/** A few choices side by side; radio buttons underneath. */
export function Segmented<T extends string>({ label, name, value, choices, onChange }: SegmentedProps<T>) {
  return (
    <div className="segmented" role="radiogroup" aria-label={label}>
      {choices.map((choice) => (
        <label key={choice.value} className="segmented__choice">
          <input
            type="radio"
            name={name}
            value={choice.value}
            checked={choice.value === value}
            onChange={() => {
              onChange(choice.value);
            }}
          />
          {choice.icon}
          <span>{choice.text}</span>
        </label>
      ))}
    </div>
  );
}
