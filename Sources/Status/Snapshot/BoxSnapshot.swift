/// The service at one moment: made by the supervisor, and all that a renderer reads.
package struct BoxSnapshot: Sendable, Hashable, Codable {
    package var version: String
    /// FFmpeg's version.
    package var ffmpeg: String
    /// When the service started and when this was made, in seconds since 1970.
    package var started: Double
    package var updated: Double
    package var process: ProcessFigures
    /// Those that are there, and those that were.
    package var gpus: [GPUSnapshot]
    /// For the codecs of the groups.
    package var encoders: [EncoderSnapshot]
    package var captureDevices: [CaptureDeviceSnapshot]
    package var channels: [ChannelSnapshot]
    /// What an operator should act on; empty when all is well.
    package var problems: [Problem]

    package init(
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
package struct ProcessFigures: Sendable, Hashable, Codable {
    package var cpuSeconds: Double
    package var residentBytes: Int
    package var openDescriptors: Int

    package init(cpuSeconds: Double = 0, residentBytes: Int = 0, openDescriptors: Int = 0) {
        self.cpuSeconds = cpuSeconds
        self.residentBytes = residentBytes
        self.openDescriptors = openDescriptors
    }
}
