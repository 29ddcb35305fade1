/** The part of Node's `WebAssembly` used here: its types belong to the DOM library, which this project does not load. */
declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]: 'WebAssembly.Module';
  }
  interface Instance {
    readonly exports: object;
  }
  const Instance: new (module: Module, imports: Record<string, object>) => Instance;
  function compile(bytes: Uint8Array): Promise<Module>;
}
