/// The state of the service at one moment. The supervisor takes it, and every renderer works from it.
package struct BoxSnapshot: Sendable, Hashable, Codable {
    package var version: String
    /// The version of FFmpeg.
    package var ffmpeg: String
    /// The times at which the service started and at which the snapshot was taken, in seconds since 1970.
    package var started: Double
    package var updated: Double
    /// The resources of the service's own process, without its child processes.
    package var process: ProcessFigures
    /// The GPUs of the box, and those that are gone.
    package var gpus: [GPUSnapshot]
    /// The encoders for the codecs of the groups.
    package var encoders: [EncoderSnapshot]
    package var captureDevices: [CaptureDeviceSnapshot]
    package var channels: [ChannelSnapshot]
    /// The problems that need the operator.
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

/// The resources that the service itself uses.
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
