'use strict';
// Lets plain node run a TypeScript program that uses the lab: node --require ./test/lab/typescript-hook.cjs PROGRAM.ts
// jest has ts-jest for it. Types are dropped, not checked: that is tsc's business.
const { readFileSync } = require('node:fs');
const { transpileModule, ModuleKind, ScriptTarget } = require('typescript');

require.extensions['.ts'] = (module, file) => {
  const { outputText } = transpileModule(readFileSync(file, 'utf8'), {
    fileName: file,
    compilerOptions: {
      module: ModuleKind.CommonJS,
      target: ScriptTarget.ES2022,
      esModuleInterop: true,
      inlineSourceMap: true,
    },
  });
  module._compile(outputText, file);
};
