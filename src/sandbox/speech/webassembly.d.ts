/** The part of Node's `WebAssembly` used here: its types belong to the DOM library, which this project does not load. */
declare namespace WebAssembly {
  class Module {
    private constructor();
  }
  class Instance {
    constructor(module: Module, imports: Record<string, object>);
  }
  function compile(bytes: Uint8Array): Promise<Module>;
}
