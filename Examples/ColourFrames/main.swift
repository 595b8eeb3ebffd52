import Glibc
import StreamboxFrames

// Writes grey frames that get brighter, 320x180 at 30 frames per second, for
//   sources: [ { raw: { path: PATH, size: 320x180, rate: 30 } } ]
let path = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "/run/streambox/frames"
var writer = FrameWriter(path: path, bytesPerFrame: 320 * 180 * 4)
for number in 0... {
    let frame = [UInt8](repeating: UInt8(number % 256), count: writer.bytesPerFrame)
    let isSent = try frame.withUnsafeBytes { try writer.write($0) }
    if !isSent { print("the service does not read; frame \(number) is dropped") }
    usleep(33_333)
}
