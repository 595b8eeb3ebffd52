import CLinux
import Glibc

/// An open video device: owns the descriptor, and closes it with itself.
///
/// Asking disturbs nobody who captures from the device at the same time.
struct V4L2Node: ~Copyable {
    /// Drivers that number without an end are asked for so many formats, sizes and rates each.
    private static let most: UInt32 = 128

    private let descriptor: CInt

    /// - Throws: why it cannot be opened.
    init(_ path: String) throws(OpenError) {
        // Not blocking: a device that is in use or asleep must not hold up a listing.
        descriptor = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw OpenError(code: errno) }
    }

    deinit { close(descriptor) }

    struct OpenError: Error {
        var code: CInt
    }

    struct Identity {
        var driver: String
        var card: String
        /// `V4L2_CAP_…` of this node, not of the whole device.
        var capabilities: UInt32

        func has(_ bits: CInt...) -> Bool { bits.contains { capabilities & UInt32(bitPattern: $0) != 0 } }

        /// Takes pictures one way and gives them back another, as an encoder does.
        var isMemoryToMemory: Bool { has(V4L2_CAP_VIDEO_M2M, V4L2_CAP_VIDEO_M2M_MPLANE) }
        var isCapture: Bool { !isMemoryToMemory && has(V4L2_CAP_VIDEO_CAPTURE, V4L2_CAP_VIDEO_CAPTURE_MPLANE) }
    }

    /// `nil` when this is no V4L2 device, or it is gone.
    func identity() -> Identity? {
        var answer = v4l2_capability()
        guard ask(v4l2_ask_capability, &answer) else { return nil }
        let own = answer.capabilities & 0x8000_0000 != 0  // V4L2_CAP_DEVICE_CAPS
        return Identity(
            driver: withUnsafeBytes(of: answer.driver) { text($0) }, card: withUnsafeBytes(of: answer.card) { text($0) },
            capabilities: own ? answer.device_caps : answer.capabilities)
    }

    /// What comes out of it, as four-letter codes in the driver's order.
    func formats() -> [UInt32] {
        var found: [UInt32] = []
        for type in [V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE] {
            for index in 0..<Self.most {
                var answer = v4l2_fmtdesc()
                answer.index = index
                answer.type = type.rawValue
                guard ask(v4l2_ask_format, &answer) else { break }
                if !found.contains(answer.pixelformat) { found.append(answer.pixelformat) }
            }
        }
        return found
    }

    /// Sizes and rates of every format.
    func modes() -> [CaptureMode] { formats().flatMap { modes($0) } }

    private func modes(_ format: UInt32) -> [CaptureMode] {
        var found: [CaptureMode] = []
        for index in 0..<Self.most {
            var answer = v4l2_frmsizeenum()
            answer.index = index
            answer.pixel_format = format
            guard ask(v4l2_ask_frame_size, &answer) else { break }
            let name = FourCC.text(format)
            if answer.type == V4L2_FRMSIZE_TYPE_DISCRETE.rawValue {
                let (width, height) = (answer.discrete.width, answer.discrete.height)
                found.append(CaptureMode(format: name, width: Int(width), height: Int(height), rates: rates(format, width, height)))
            } else {
                let range = answer.stepwise
                found.append(
                    CaptureMode(
                        format: name, width: Int(range.max_width), height: Int(range.max_height), leastWidth: Int(range.min_width),
                        leastHeight: Int(range.min_height), rates: rates(format, range.max_width, range.max_height)))
                // A range is all that such a driver gives.
                break
            }
        }
        return found
    }

    private func rates(_ format: UInt32, _ width: UInt32, _ height: UInt32) -> [String] {
        var found: [String] = []
        for index in 0..<Self.most {
            var answer = v4l2_frmivalenum()
            answer.index = index
            answer.pixel_format = format
            answer.width = width
            answer.height = height
            guard ask(v4l2_ask_frame_interval, &answer) else { break }
            guard answer.type == V4L2_FRMIVAL_TYPE_DISCRETE.rawValue else {
                let range = answer.stepwise
                // The shortest interval is the highest rate.
                return [range.min, range.max].compactMap { FourCC.rate(interval: $0.numerator, $0.denominator) }
            }
            if let rate = FourCC.rate(interval: answer.discrete.numerator, answer.discrete.denominator) { found.append(rate) }
        }
        return found
    }

    private func ask<Answer>(_ request: UInt, _ answer: inout Answer) -> Bool {
        withUnsafeMutablePointer(to: &answer) { pointer in
            while true {
                if ioctl(descriptor, request, UnsafeMutableRawPointer(pointer)) == 0 { return true }
                guard errno == EINTR else { return false }
            }
        }
    }

    private func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
}
