// `import Gale` is enough: a handler that renders names the types of templates.
@_exported public import GaleTemplate

// Settings and responses name them.
@_exported public import struct GaleCore.Codings
@_exported public import struct GaleCore.CompressionSettings
@_exported public import struct GaleCore.DecompressionSettings
// Static files take them.
@_exported public import struct GaleCore.FileSettings
// Settings name them.
@_exported public import struct GaleCore.FormSettings
// Services set them.
@_exported public import class GaleCore.LoopTimer
// Settings name it.
@_exported public import struct GaleCore.ServerConfiguration
// Streams of events send them.
@_exported public import struct GaleCore.ServerSentEvent
// Requests give them.
@_exported public import struct GaleCore.ServerStats
// Services live on it.
@_exported public import class GaleCore.ServiceLoop
// Settings and subscriptions name it.
@_exported public import enum GaleCore.SlowPolicy
// Clients of WebSockets take them.
@_exported public import struct GaleCore.WebSocketClientOptions
// Settings name them.
@_exported public import struct GaleCore.WebSocketSettings
