// `import Gale` is enough: a handler that renders names the types of templates.
@_exported public import GaleTemplate
// Settings name it.
@_exported public import struct GaleCore.ServerConfiguration
// Static files take them.
@_exported public import struct GaleCore.FileSettings
// Requests give them.
@_exported public import struct GaleCore.ServerStats
