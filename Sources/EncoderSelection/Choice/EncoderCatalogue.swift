package import BoxConfiguration
package import CapabilityProbe
package import FFmpeg
package import MediaTypes

/// Every encoder that the service can drive, and how.
package struct EncoderCatalogue: Sendable {
    /// Names that the installed FFmpeg lists. Listing is not having.
    package var listed: Set<String>
    /// Those that are there, and those that were while the service ran.
    package private(set) var gpus: [GPU]
    /// The slots of those that are there no more.
    package private(set) var gone: Set<String> = []
    /// Video devices of the kernel's that encode.
    package var boards: [V4L2Encoder]

    package init(listed: Set<String>, gpus: [GPU] = [], boards: [V4L2Encoder] = []) {
        self.listed = listed
        self.gpus = gpus
        self.boards = boards
    }

    /// GPUs that are not in the list any more are remembered as gone: who had one will ask for it.
    package mutating func update(_ present: [GPU]) {
        // Where one was seen and is not any more, none is to be supposed.
        let seen = Set(gpus.filter { !$0.isSupposed }.map(\.driver))
        // One that has its last node only is coming or going.
        let whole = Set(gpus.filter { $0.renderNode != nil }.map(\.slot))
        let present = present.filter { gpu in
            gpu.isSupposed ? !seen.contains(gpu.driver) : gpu.renderNode != nil || !whole.contains(gpu.slot)
        }
        let missing = gpus.filter { known in !present.contains { $0.slot == known.slot } }.suffix(Self.mostGone)
        gone = Set(missing.map(\.slot))
        gpus = (present + missing).sorted { $0.slot < $1.slot }
    }

    /// A dock that is plugged in here and there is not to fill the memory.
    private static let mostGone = 16

    /// The candidates of a family for a codec on this box, GPUs in the order in which they were found.
    package func candidates(_ family: EncoderFamily, _ codec: VideoCodec) -> [EncoderCandidate] {
        EncoderName.all.filter { $0.family == family && $0.codec == codec }.flatMap {
            candidates(named: $0.name, on: nil)
        }
    }

    /// The candidates of a name, on one GPU or on each that may have it.
    package func candidates(named name: String, on slot: String?) -> [EncoderCandidate] {
        guard let encoder = EncoderName.known(name) else { return [] }
        switch encoder.family {
        case .software: return [EncoderCandidate(name)]
        case .v4l2m2m:
            return boards.contains { $0.codecs.contains(encoder.codec.rawValue) } ? [EncoderCandidate(name)] : []
        case .vaapi, .qsv, .nvenc:
            return gpus.filter { drives($0, with: encoder.family) && (slot == nil || $0.slot == slot) }
                .map { EncoderCandidate(name, gpu: $0.slot) }
        }
    }

    private func drives(_ gpu: GPU, with family: EncoderFamily) -> Bool {
        switch family {
        case .nvenc: gpu.driver == "nvidia"
        case .qsv: gpu.renderNode != nil && (gpu.driver == "i915" || gpu.driver == "xe")
        case .vaapi: gpu.renderNode != nil && gpu.driver != "nvidia"
        case .software, .v4l2m2m: false
        }
    }

    /// How FFmpeg is told to use a candidate; `nil` when its GPU is not there, or nobody knows how.
    ///
    /// - Parameter scalesOnGPU: Pictures are scaled by the GPU, where its family can do that.
    package func recipe(
        for candidate: EncoderCandidate, effort: EncoderEffort = .normal, scalesOnGPU: Bool = false
    ) -> (any EncoderRecipe)? {
        guard let encoder = EncoderName.known(candidate.name), encoder.codec != .av1 else { return nil }
        let gpu = gpus.first { $0.slot == candidate.gpu && !gone.contains($0.slot) }
        switch encoder.family {
        case .software: return encoder.codec == .hevc ? Libx265Recipe(effort: effort) : Libx264Recipe(effort: effort)
        case .v4l2m2m: return V4L2M2MRecipe(codec: encoder.codec)
        case .vaapi:
            return gpu?.renderNode.map { VAAPIRecipe(codec: encoder.codec, node: $0, scalesOnGPU: scalesOnGPU) }
        case .qsv: return gpu?.renderNode.map { QSVRecipe(codec: encoder.codec, node: $0) }
        case .nvenc:
            let nvidia = gpus.filter { $0.driver == "nvidia" && !gone.contains($0.slot) }.sorted { $0.slot < $1.slot }
            // CUDA counts its devices by slot, as the recipe tells it to; from one there is nothing to choose.
            return gpu.map { gpu in
                NVENCRecipe(codec: encoder.codec, index: nvidia.count > 1 ? nvidia.firstIndex(of: gpu) : nil)
            }
        }
    }

    /// What is known of a candidate before any trial.
    package func initialStanding(of candidate: EncoderCandidate) -> Standing {
        guard listed.contains(candidate.name) else {
            return .failed("the installed FFmpeg does not have \(candidate.name)")
        }
        guard recipe(for: candidate) != nil else {
            return .failed(
                candidate.codec == .av1 ? "AV1 cannot be carried between this service's processes" : "its GPU is gone")
        }
        if let problem = gpus.first(where: { $0.slot == candidate.gpu })?.accessProblem {
            return .failed(FailureReason(problem))
        }
        return candidate.isSoftware ? .usable : .untried
    }
}
