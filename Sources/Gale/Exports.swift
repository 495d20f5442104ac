// `import Gale` is enough: a handler that renders names the types of templates.
@_exported public import GaleTemplate
