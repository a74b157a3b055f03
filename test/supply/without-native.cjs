'use strict';
// Required before a program: it finds no native part of any package, as where no install script has run.
process.dlopen = (_module, file) => {
  throw new Error(`${file} was not built`);
};
