import CLinux
import Glibc

/// An open video device. It owns the descriptor, and closes it in its `deinit`.
///
/// Its questions do not disturb programs that capture from the device at the same time.
struct V4L2Node: ~Copyable {
    /// The most formats, sizes and rates that are read, because some drivers list them without an end.
    private static let most: UInt32 = 128

    private let descriptor: CInt

    /// - Throws: The reason why it cannot be opened.
    init(_ path: String) throws(OpenError) {
        // Non-blocking: a device that is busy or asleep must not delay a listing.
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

        /// Whether it takes frames and returns them in another form, as an encoder does.
        var isMemoryToMemory: Bool { has(V4L2_CAP_VIDEO_M2M, V4L2_CAP_VIDEO_M2M_MPLANE) }
        var isCapture: Bool { !isMemoryToMemory && has(V4L2_CAP_VIDEO_CAPTURE, V4L2_CAP_VIDEO_CAPTURE_MPLANE) }
    }

    /// `nil` if this is not a V4L2 device, or it is gone.
    func identity() -> Identity? {
        var answer = v4l2_capability()
        guard ask(v4l2_ask_capability, &answer) else { return nil }
        let own = answer.capabilities & 0x8000_0000 != 0  // V4L2_CAP_DEVICE_CAPS
        return Identity(
            driver: withUnsafeBytes(of: answer.driver) { text($0) },
            card: withUnsafeBytes(of: answer.card) { text($0) },
            capabilities: own ? answer.device_caps : answer.capabilities)
    }

    /// The output formats as four-letter codes, in the driver's order.
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

    /// Sizes and rates of all formats.
    func modes() -> [CaptureMode] { formats().flatMap { modes($0) } }

    private func modes(_ format: UInt32) -> [CaptureMode] {
        var found: [CaptureMode] = []
        for index in 0..<Self.most {
            var answer = v4l2_frmsizeenum()
            answer.index = index
            answer.pixel_format = format
            guard ask(v4l2_ask_frame_size, &answer) else { break }
            let name = V4L2Notation.text(format)
            if answer.type == V4L2_FRMSIZE_TYPE_DISCRETE.rawValue {
                let (width, height) = (answer.discrete.width, answer.discrete.height)
                found.append(
                    CaptureMode(
                        format: name, width: Int(width), height: Int(height), rates: rates(format, width, height)))
            } else {
                let range = answer.stepwise
                found.append(
                    CaptureMode(
                        format: name, width: Int(range.max_width), height: Int(range.max_height),
                        leastWidth: Int(range.min_width),
                        leastHeight: Int(range.min_height), rates: rates(format, range.max_width, range.max_height)))
                // Such a driver lists only one range.
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
                return [range.min, range.max].compactMap { V4L2Notation.rate(interval: $0.numerator, $0.denominator) }
            }
            if let rate = V4L2Notation.rate(interval: answer.discrete.numerator, answer.discrete.denominator) {
                found.append(rate)
            }
        }
        return found
    }

    // MARK: Signal

    /// Makes the driver report changes of the signal at its input.
    ///
    /// - Returns: `false` if it cannot, as with most USB cards.
    func subscribeToSourceChanges() -> Bool {
        var subscription = v4l2_event_subscription()
        subscription.type = UInt32(V4L2_EVENT_SOURCE_CHANGE)
        return ask(v4l2_subscribe_event, &subscription)
    }

    /// The reason why a wait ended.
    enum Wake {
        /// The driver has an event, or the time is over.
        case looks
        /// The other descriptor is readable.
        case woken
        case gone
    }

    /// Waits for an event of the driver, for the time to pass, or for the other descriptor to become readable.
    func waitForChange(atMost milliseconds: CInt, or wakeup: CInt) -> Wake {
        var ends = [
            pollfd(fd: descriptor, events: Int16(POLLPRI), revents: 0),
            pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0),
        ]
        let count = poll(&ends, 2, milliseconds)
        if count < 0 { return errno == EINTR ? .looks : .gone }
        if ends[1].revents != 0 { return .woken }
        // A device that is gone reports this too, with all other events.
        if ends[0].revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 || !isThere { return .gone }
        // Several events in a row count as one.
        var event = v4l2_event()
        while ends[0].revents != 0, ask(v4l2_take_event, &event) {}
        return .looks
    }

    private var isThere: Bool {
        var answer = v4l2_capability()
        return ask(v4l2_ask_capability, &answer) || errno != ENODEV
    }

    /// Whether the driver knows if its input has a signal.
    var tellsSignal: Bool {
        input.map { $0.capabilities & UInt32(V4L2_IN_CAP_DV_TIMINGS | V4L2_IN_CAP_STD) != 0 || !$0.hasSignal } ?? false
    }

    /// The selected input.
    private var input: v4l2_input? {
        var index: CInt = 0
        var input = v4l2_input()
        guard ask(v4l2_ask_input, &index) else { return nil }
        input.index = UInt32(index)
        return ask(v4l2_ask_input_status, &input) ? input : nil
    }

    /// The signal at the input.
    struct Signal {
        /// Also true if the driver does not report it.
        var isThere = true
        /// Width and height from its timings, in pixels. 0 without timings.
        var width: UInt32 = 0
        var height: UInt32 = 0
        var isInterlaced = false
        /// Pixels per second, and pixels of a whole frame, both with blanking: 1080p50 and 1080p60 have the same clock.
        var clock: UInt64 = 0
        var total: UInt64 = 0

        /// Receivers measure the clock, and the results vary. This is the tolerance that the kernel allows.
        private static let clockTolerance: UInt64 = 250_000

        init() {}

        init(_ timings: v4l2_dv_timings) {
            let bt = timings.bt
            (width, height, clock) = (bt.width, bt.height, bt.pixelclock)
            isInterlaced = bt.interlaced != 0
            let line = UInt64(bt.width) + UInt64(bt.hfrontporch) + UInt64(bt.hsync) + UInt64(bt.hbackporch)
            total = line &* (UInt64(bt.height) + UInt64(bt.vfrontporch) + UInt64(bt.vsync) + UInt64(bt.vbackporch))
        }

        func isSame(as other: Signal) -> Bool {
            isThere == other.isThere && width == other.width && height == other.height
                && isInterlaced == other.isInterlaced
                && max(clock, other.clock) - min(clock, other.clock) <= Self.clockTolerance
                && max(total, other.total) - min(total, other.total) <= max(total, other.total) / 50
        }
    }

    func signal() -> Signal {
        var signal = Signal()
        guard let input else { return signal }
        signal.isThere = input.hasSignal
        guard input.capabilities & UInt32(V4L2_IN_CAP_DV_TIMINGS) != 0 else { return signal }
        var timings = v4l2_dv_timings()
        if ask(v4l2_ask_arriving_timings, &timings) {
            let isThere = signal.isThere
            signal = Signal(timings)
            signal.isThere = isThere
        } else if errno == ENOLINK || errno == ENOLCK || errno == ERANGE {
            // No cable, nothing to lock to, or a signal that the card does not support.
            signal.isThere = false
        }
        return signal
    }

    /// The card's mode if no other is requested.
    func current() -> CaptureMode? {
        var picture = v4l2_format()
        picture.type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
        var pace = v4l2_streamparm()
        pace.type = picture.type
        guard ask(v4l2_ask_picture, &picture) else { return nil }
        let interval = ask(v4l2_ask_pace, &pace) ? pace.parm.capture.timeperframe : v4l2_fract()
        return CaptureMode(
            format: V4L2Notation.text(picture.fmt.pix.pixelformat), width: Int(picture.fmt.pix.width),
            height: Int(picture.fmt.pix.height),
            rates: V4L2Notation.rate(interval: interval.numerator, interval.denominator).map { [$0] } ?? [])
    }

    /// Asks for the field order of frames of a size, without setting anything.
    ///
    /// - Returns: `nil` for progressive frames, and for fields that are not interleaved.
    func fieldOrder(width: Int, height: Int) -> FieldOrder? {
        var picture = v4l2_format()
        picture.type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
        guard ask(v4l2_ask_picture, &picture) else { return nil }
        var wanted = picture
        (wanted.fmt.pix.width, wanted.fmt.pix.height) = (UInt32(clamping: width), UInt32(clamping: height))
        // FFmpeg leaves it to the driver too.
        wanted.fmt.pix.field = V4L2_FIELD_ANY.rawValue
        if ask(v4l2_try_picture, &wanted) { picture = wanted }
        return FieldOrder(v4l2: picture.fmt.pix.field, height: Int(picture.fmt.pix.height))
    }

    /// Sets the input to the timings of the incoming signal, unless it already has them: a driver may round them, and
    /// drift further each time.
    ///
    /// - Returns: `false` if the input has no timings.
    func adoptTimings() -> Bool {
        var arriving = v4l2_dv_timings()
        var now = v4l2_dv_timings()
        guard ask(v4l2_ask_arriving_timings, &arriving) else { return false }
        if ask(v4l2_ask_timings, &now), Signal(now).isSame(as: Signal(arriving)) { return true }
        return ask(v4l2_set_timings, &arriving)
    }

    private func ask<Answer>(_ request: UInt, _ answer: inout Answer) -> Bool {
        withUnsafeMutablePointer(to: &answer) { pointer in
            while true {
                if ioctl(descriptor, request, UnsafeMutableRawPointer(pointer)) == 0 { return true }
                guard errno == EINTR else { return false }
            }
        }
    }

    private func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}

extension FieldOrder {
    /// - Parameters:
    ///   - field: `V4L2_FIELD_…`
    ///   - height: Lines of a frame. Fields of unknown order have that of the television standard: with 480 lines the
    ///     bottom field comes first.
    init?(v4l2 field: UInt32, height: Int) {
        switch field {
        case V4L2_FIELD_INTERLACED.rawValue: self = (480...486).contains(height) ? .bottomFirst : .topFirst
        case V4L2_FIELD_INTERLACED_TB.rawValue: self = .topFirst
        case V4L2_FIELD_INTERLACED_BT.rawValue: self = .bottomFirst
        default: return nil
        }
    }
}

extension v4l2_input {
    fileprivate var hasSignal: Bool {
        status & UInt32(V4L2_IN_ST_NO_POWER | V4L2_IN_ST_NO_SIGNAL | V4L2_IN_ST_NO_SYNC) == 0
    }
}
