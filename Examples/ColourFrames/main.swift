import Glibc
import StreamboxFrames

// A grey that grows brighter, 320x180 at 30 frames a second, for
//   sources: [ { raw: { path: PATH, size: 320x180, rate: 30 } } ]
let path = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "/run/streambox/frames"
var writer = FrameWriter(path: path, bytesPerFrame: 320 * 180 * 4)
for number in 0... {
    let frame = [UInt8](repeating: UInt8(number % 256), count: writer.bytesPerFrame)
    let isSent = try frame.withUnsafeBytes { try writer.write($0) }
    if !isSent { print("nobody reads; frame \(number) is left out") }
    usleep(33_333)
}
