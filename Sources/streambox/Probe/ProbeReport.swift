import BoxConfiguration
import CapabilityProbe
import EncoderSelection
import FFmpeg
import MediaTypes
import Status
import Supervision

/// The result of a probe, rendered as a table or as JSON.
struct ProbeReport: Encodable {
    struct GPUEntry: Encodable {
        var gpu: GPU
        /// The answer of the VA driver. `nil` if it was not asked or did not answer.
        var va: VAReport?
        /// Why the VA driver did not answer, as a sentence.
        var problem: String?
        /// The reason as one word, for programs: `refused`, `crashed`, `hung`, `unanswered`.
        var problemKind: VAFailure.Kind?

        mutating func take(_ result: VAResult) {
            switch result {
            case .report(let report): va = report
            case .failed(let failure): (problem, problemKind) = (failure.reason, failure.kind)
            }
        }
    }

    struct Encoder: Encodable {
        /// `h264_vaapi@0000:00:02.0`
        var name: String
        /// The state of the encoder: `usable`, `untried`, `failed`, or `listed` if the service does not use it.
        var standing: String
        var reason: String?
        /// The cause of the failure, for programs. `nil` if the trial passed or was not made.
        var cause: String?
        /// Whether the GPU can scale frames.
        var scalesOnGPU: Bool?
    }

    /// Something that FFmpeg lacks or refuses.
    struct FFmpegProblem: Encodable {
        /// The part of the service that needs it.
        var subject: String
        var sentence: String
    }

    var ffmpeg: String
    /// The hardware that FFmpeg can decode with, from its own list (`-hwaccel`). The service decodes with the
    /// processor.
    var hwaccels: [String]
    var ffmpegProblems: [FFmpegProblem] = []
    var gpus: [GPUEntry]
    var encoders: [Encoder] = []
    var v4l2Encoders: [V4L2Encoder]
    var captureDevices: [CaptureDevice]
    /// Why a list may be incomplete. `nil` if all are complete.
    var problem: String?

    init(
        ffmpeg: String, hwaccels: Set<String>, gpus: [GPUEntry], v4l2Encoders: [V4L2Encoder],
        captureDevices: [CaptureDevice]
    ) {
        self.ffmpeg = ffmpeg
        self.hwaccels = hwaccels.sorted()
        self.gpus = gpus
        self.v4l2Encoders = v4l2Encoders
        self.captureDevices = captureDevices
    }

    /// Lists the candidates of every family and codec on this box without trials.
    mutating func list(_ catalogue: EncoderCatalogue) {
        for family in EncoderFamily.allCases {
            for codec in VideoCodec.allCases where codec != .av1 {
                for candidate in catalogue.candidates(family, codec) {
                    switch catalogue.initialStanding(of: candidate) {
                    case .usable: encoders.append(Encoder(name: "\(candidate)", standing: "usable"))
                    case .untried: encoders.append(Encoder(name: "\(candidate)", standing: "untried"))
                    case .failed(let why), .quarantined(let why):
                        encoders.append(Encoder(name: "\(candidate)", standing: "failed", reason: why.sentence))
                    }
                }
            }
        }
        listAV1(catalogue)
    }

    /// Lists FFmpeg's encoders for AV1, which the service does not use yet.
    private mutating func listAV1(_ catalogue: EncoderCatalogue) {
        for family in EncoderFamily.allCases {
            for candidate in catalogue.candidates(family, .av1) where catalogue.listed.contains(candidate.name) {
                listAV1("\(candidate)")
            }
        }
        for name in Self.otherAV1 where catalogue.listed.contains(name) { listAV1(name) }
    }

    private mutating func listAV1(_ name: String) {
        encoders.append(Encoder(name: name, standing: "listed", reason: "this service does not encode AV1 yet"))
    }

    /// Software encoders that no configuration can name.
    private static let otherAV1 = ["libaom-av1", "librav1e"]

    /// Lists the encoders with the results of their trials.
    mutating func list(_ catalogue: EncoderCatalogue, _ trials: [(EncoderCandidate, TrialResult)]) {
        encoders = trials.map { candidate, result in
            switch result {
            case .passed(let scalesOnGPU):
                Encoder(name: "\(candidate)", standing: "usable", scalesOnGPU: scalesOnGPU ? true : nil)
            case .failed(let cause, let why):
                Encoder(name: "\(candidate)", standing: "failed", reason: why.sentence, cause: cause.rawValue)
            }
        }
        listAV1(catalogue)
    }

    /// The report for a person, at most 80 columns wide.
    var text: String {
        var text = Columns()
        text.line("FFmpeg \(ffmpeg)")
        if !hwaccels.isEmpty { text.line("  could decode with \(hwaccels.joined(separator: ", ")); not used yet") }
        for problem in ffmpegProblems { text.paragraph("! \(problem.subject): \(problem.sentence)", indent: 2) }
        text.line("")
        text.line("GPUs")
        if gpus.isEmpty { text.line("  none found: the processor encodes everything") }
        for entry in gpus { describe(entry, in: &text) }
        text.line("")
        text.line(encoders.contains { $0.standing == "untried" } ? "Encoders" : "Encoders, tried from 1080p to 720p")
        let longest = encoders.map(\.name.count).max() ?? 0
        for encoder in encoders {
            let space = String(repeating: " ", count: longest - encoder.name.count)
            text.line(
                "  \(encoder.name)\(space)  \(encoder.standing)"
                    + (encoder.scalesOnGPU ?? false ? ", scales on the GPU" : ""))
            if let reason = encoder.reason { text.paragraph(reason, indent: 4) }
        }
        if !v4l2Encoders.isEmpty {
            text.line("")
            text.line("Encoders of the board (V4L2)")
            for encoder in v4l2Encoders {
                text.line("  \(encoder.node)  \(encoder.driver)  \(encoder.codecs.joined(separator: ", "))")
            }
        }
        text.line("")
        text.line("Capture devices")
        if captureDevices.isEmpty { text.line("  none found") }
        for device in captureDevices { describe(device, in: &text) }
        if let problem { text.paragraph("! \(problem)", indent: 2) }
        return text.lines.joined(separator: "\n") + "\n"
    }

    private func describe(_ entry: GPUEntry, in text: inout Columns) {
        let gpu = entry.gpu
        text.line(
            "  \(gpu.slot)  \(gpu.driver)  \([gpu.vendorName, gpu.deviceName].compactMap { $0 }.joined(separator: " "))"
        )
        let nodes = [gpu.renderNode, gpu.cardNode].compactMap { $0 }
        if !nodes.isEmpty {
            text.line("    \(nodes.joined(separator: ", "))\(gpu.isBootVGA ? ", shows the console" : "")")
        }
        if let va = entry.va {
            text.line("    \(va.driver)")
            let abilities = abilities(of: va)
            if abilities.isEmpty { text.line("    encodes nothing") }
            for ability in abilities { text.paragraph("encodes \(ability)", indent: 4) }
        }
        for problem in [gpu.accessProblem, entry.problem].compactMap({ $0 }) {
            text.paragraph("! \(problem)", indent: 4)
        }
    }

    /// One line for each set of abilities, with the profiles that have it.
    private func abilities(of va: VAReport) -> [String] {
        var profiles: [(with: String, names: [String])] = []
        for encoder in va.encoders {
            var with = encoder.rateControls.isEmpty ? "no rate control" : encoder.rateControls.joined(separator: " ")
            if let width = encoder.mostWidth, let height = encoder.mostHeight { with += ", up to \(width)x\(height)" }
            if encoder.entrypoint.hasSuffix("LP") { with += ", low power" }
            let name = String(encoder.profile.dropFirst(encoder.profile.hasPrefix("VAProfile") ? 9 : 0))
            if let index = profiles.firstIndex(where: { $0.with == with }) {
                profiles[index].names.append(name)
            } else {
                profiles.append((with, [name]))
            }
        }
        return profiles.map { "\($0.names.joined(separator: ", ")): \($0.with)" }
    }

    /// The most formats that are listed for a card.
    private static let mostModes = 6

    private func describe(_ device: CaptureDevice, in text: inout Columns) {
        text.line(
            "  \(device.name)  \(device.node)" + (device.driver.map { "  \($0)" } ?? "")
                + (device.sound.map { "  sound \($0)" } ?? ", no sound"))
        text.line("    path \(device.path)" + (device.serial.map { ", serial \($0)" } ?? ", no serial"))
        // The largest size of each format is enough here; JSON has all sizes.
        let modes = device.largestModes
        for mode in modes.prefix(Self.mostModes) {
            let rates = mode.rates.isEmpty ? "" : " at \(mode.rates.joined(separator: ", "))"
            text.line("    \(mode.format)  up to \(mode.width)x\(mode.height)\(rates)")
        }
        if modes.count > Self.mostModes { text.line("    and \(modes.count - Self.mostModes) other formats") }
        let looksAlike = captureDevices.contains { $0.looksLike(device) }
        if looksAlike {
            text.paragraph("! another card looks the same: bind them by path, not by serial or model", indent: 4)
        }
        if let problem = device.accessProblem { text.paragraph("! \(problem)", indent: 4) }
    }
}

/// Lines of at most 80 columns.
private struct Columns {
    private(set) var lines: [String] = []
    private static let width = 80

    /// Adds a line, and cuts it if it is too long.
    mutating func line(_ text: String) {
        let text = text.reversed().drop { $0 == " " }.reversed()
        lines.append(text.count <= Self.width ? String(text) : text.prefix(Self.width - 1) + "…")
    }

    /// Adds a paragraph, broken between words.
    mutating func paragraph(_ text: String, indent: Int) {
        let space = String(repeating: " ", count: indent)
        for part in StatusTable.wrapped(text, to: Self.width - indent) { line(space + part) }
    }
}
