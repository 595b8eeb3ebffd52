/// The service at one moment: made by the supervisor, and all that a renderer reads.
public struct BoxSnapshot: Sendable, Hashable, Codable {
    public var version: String
    /// FFmpeg's version.
    public var ffmpeg: String
    /// When the service started and when this was made, in seconds since 1970.
    public var started: Double
    public var updated: Double
    public var process: ProcessFigures
    /// Those that are there, and those that were.
    public var gpus: [GPUSnapshot]
    /// For the codecs of the groups.
    public var encoders: [EncoderSnapshot]
    public var captureDevices: [CaptureDeviceSnapshot]
    public var channels: [ChannelSnapshot]
    /// What an operator should act on; empty when all is well.
    public var problems: [Problem]

    public init(
        version: String, ffmpeg: String, started: Double, updated: Double, process: ProcessFigures = ProcessFigures(),
        gpus: [GPUSnapshot] = [], encoders: [EncoderSnapshot] = [], captureDevices: [CaptureDeviceSnapshot] = [],
        channels: [ChannelSnapshot] = [], problems: [Problem] = []
    ) {
        self.version = version
        self.ffmpeg = ffmpeg
        self.started = started
        self.updated = updated
        self.process = process
        self.gpus = gpus
        self.encoders = encoders
        self.captureDevices = captureDevices
        self.channels = channels
        self.problems = problems
    }
}

/// What the service itself costs.
public struct ProcessFigures: Sendable, Hashable, Codable {
    public var cpuSeconds: Double
    public var residentBytes: Int
    public var openDescriptors: Int

    public init(cpuSeconds: Double = 0, residentBytes: Int = 0, openDescriptors: Int = 0) {
        self.cpuSeconds = cpuSeconds
        self.residentBytes = residentBytes
        self.openDescriptors = openDescriptors
    }
}
