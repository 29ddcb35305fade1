import { Component, h, type ComponentType, type JSX } from 'preact';

/** A component that is drawn again only when one of its properties is another one. */
export function memo<Props extends object>(inner: ComponentType<Props>): ComponentType<Props & { parts?: unknown }> {
  return class Memo extends Component<Props & { parts?: unknown }> {
    override shouldComponentUpdate(next: Readonly<Props & { parts?: unknown }>): boolean {
      const before: Record<string, unknown> = { ...this.props };
      return Object.entries(next).some(([name, value]) => before[name] !== value);
    }

    override render(): JSX.Element {
      return h(inner, this.props);
    }
  };
}
