import CapabilityProbe
import Configuration
import EncoderSelection
import FFmpeg

/// What a probe found: one value for the table and for JSON.
struct ProbeReport: Encodable {
    struct GPUEntry: Encodable {
        var gpu: GPU
        /// What its VA driver says; `nil` where it was not asked, or did not answer.
        var va: VAReport?
        /// Why it did not, for people.
        var problem: String?
        /// Likewise, for programs: `refused`, `crashed`, `hung`, `unanswered`.
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
        /// `usable`, `untried` or `failed`.
        var standing: String
        var reason: String?
        /// What FFmpeg's end was taken for, for programs; `nil` where it passed or was not tried.
        var cause: String?
        /// Pictures can be scaled by the GPU.
        var scalesOnGPU: Bool?
    }

    var ffmpeg: String
    var gpus: [GPUEntry]
    var encoders: [Encoder] = []
    var v4l2Encoders: [V4L2Encoder]
    var captureDevices: [CaptureDevice]

    init(ffmpeg: String, gpus: [GPUEntry], v4l2Encoders: [V4L2Encoder], captureDevices: [CaptureDevice]) {
        self.ffmpeg = ffmpeg
        self.gpus = gpus
        self.v4l2Encoders = v4l2Encoders
        self.captureDevices = captureDevices
    }

    /// Lists the candidates of every family and codec on this box, untried.
    mutating func list(_ catalogue: EncoderCatalogue) {
        for family in EncoderFamily.allCases {
            for codec in VideoCodec.allCases where codec != .av1 {
                for candidate in catalogue.candidates(family, codec) {
                    switch catalogue.initialStanding(of: candidate) {
                    case .usable: encoders.append(Encoder(name: "\(candidate)", standing: "usable"))
                    case .untried: encoders.append(Encoder(name: "\(candidate)", standing: "untried"))
                    case .failed(let why), .quarantined(let why): encoders.append(Encoder(name: "\(candidate)", standing: "failed", reason: why))
                    }
                }
            }
        }
    }

    /// Lists what trials have shown.
    mutating func list(_ catalogue: EncoderCatalogue, _ trials: [(EncoderCandidate, TrialResult)]) {
        encoders = trials.map { candidate, result in
            switch result {
            case .passed(let scalesOnGPU):
                Encoder(name: "\(candidate)", standing: "usable", scalesOnGPU: scalesOnGPU ? true : nil)
            case .failed(let cause, let why):
                Encoder(name: "\(candidate)", standing: "failed", reason: why, cause: cause.rawValue)
            }
        }
    }

    /// For a person, at most 80 columns.
    var text: String {
        var lines = ["FFmpeg \(ffmpeg)", "", "GPUs"]
        if gpus.isEmpty { lines.append("  none found: everything is encoded by the processor") }
        for entry in gpus {
            let gpu = entry.gpu
            lines.append("  \(gpu.slot)  \(gpu.driver)  \([gpu.vendorName, gpu.deviceName].compactMap { $0 }.joined(separator: " "))")
            lines.append("    \([gpu.renderNode, gpu.cardNode].compactMap { $0 }.joined(separator: ", "))\(gpu.isBootVGA ? ", shows the console" : "")")
            if let va = entry.va {
                lines.append("    \(va.driver)")
                lines.append("    encodes \(va.encoders.isEmpty ? "nothing" : Set(va.encoders.map(\.profile)).sorted().joined(separator: ", "))")
            }
            for problem in [gpu.accessProblem, entry.problem].compactMap({ $0 }) { lines.append("    ! \(problem)") }
        }
        lines += ["", "Encoders"]
        lines += encoders.map { "  \($0.name)  \($0.standing)\($0.reason.map { ": \($0)" } ?? "")" }
        if !v4l2Encoders.isEmpty { lines += ["", "Encoders of the board (V4L2)"] }
        lines += v4l2Encoders.map { "  \($0.node)  \($0.driver)  \($0.codecs.joined(separator: ", "))" }
        lines += ["", "Capture devices"]
        if captureDevices.isEmpty { lines.append("  none found") }
        for device in captureDevices {
            lines.append("  \(device.name)  \(device.node)" + (device.sound.map { "  sound \($0)" } ?? ""))
            lines.append("    path \(device.path)" + (device.serial.map { ", serial \($0)" } ?? ", no serial"))
            // The largest picture of each format says what a card is good for; JSON has them all.
            for mode in device.largestModes {
                let rates = mode.rates.isEmpty ? "" : " at \(mode.rates.joined(separator: ", "))"
                lines.append("    \(mode.format)  up to \(mode.width)x\(mode.height)\(rates)")
            }
            if let problem = device.accessProblem { lines.append("    ! \(problem)") }
        }
        return lines.map { $0.count <= 80 ? $0 : $0.prefix(79) + "…" }.joined(separator: "\n") + "\n"
    }
}
