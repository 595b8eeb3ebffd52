/// Why a child ended by itself. The cause picks the answer.
public enum FailureCause: String, Sendable, Hashable, CaseIterable {
    // The machine
    case deviceGone = "device-gone"
    case driverError = "driver-error"
    case driverMissing = "driver-missing"
    case sessionLimit = "session-limit"
    case permission
    /// Another program has the device.
    case busy
    /// Size, profile, filter chain or encoder that this FFmpeg or device cannot do.
    case unsupported
    /// A signal of the process's own making.
    case crash
    /// SIGKILL from elsewhere: most often the kernel, out of memory.
    case killed

    // The network
    case refused
    case unreachable
    case timeout
    case reset
    /// The peer answered and did not let us in: key, passphrase, name already in use.
    case rejected
    case notFound = "not-found"
    case addressInUse = "address-in-use"

    // The media
    case invalidData = "invalid-data"
    case ended

    // The disk
    case unwritable
    case diskFull = "disk-full"

    case notStarted = "not-started"
    case unknown

    /// For people.
    public var sentence: String {
        switch self {
        case .deviceGone: "the device is gone"
        case .driverError: "the driver reported an error"
        case .driverMissing: "the driver or its library is missing"
        case .sessionLimit: "the device allows no further encoding session"
        case .busy: "another program has the device"
        case .permission: "this user may not open the device, the port or the file"
        case .unsupported: "FFmpeg or the device cannot do what was asked"
        case .crash: "FFmpeg crashed"
        case .killed: "FFmpeg was killed from outside, perhaps for want of memory"
        case .refused: "the peer refused the connection"
        case .unreachable: "the peer could not be reached"
        case .timeout: "the peer did not answer in time"
        case .reset: "the peer closed the connection"
        case .rejected: "the peer did not let us in: check the key or the passphrase, and that nobody else uses it"
        case .notFound: "the peer or the disk has nothing of that name"
        case .addressInUse: "another program listens on that port"
        case .invalidData: "the input is not what FFmpeg can read"
        case .ended: "the input ended"
        case .unwritable: "the folder cannot be written to"
        case .diskFull: "the disk is full"
        case .notStarted: "FFmpeg could not be started"
        case .unknown: "FFmpeg ended for a reason it did not tell"
        }
    }
}
