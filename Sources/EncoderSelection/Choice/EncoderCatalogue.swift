package import BoxConfiguration
package import CapabilityProbe
package import FFmpeg
package import MediaTypes

/// The encoders that the service can use on this box, with their devices and recipes.
package struct EncoderCatalogue: Sendable {
    /// The encoders that the installed FFmpeg lists. A listed encoder may still not work.
    package var listed: Set<String>
    /// The GPUs that are present, and those that were present at some time since the service started.
    package private(set) var gpus: [GPU]
    /// The slots of the GPUs that are no longer present.
    package private(set) var gone: Set<String> = []
    /// The video devices (V4L2) that encode, mostly on ARM boards.
    package var v4l2Encoders: [V4L2Encoder]

    package init(listed: Set<String>, gpus: [GPU] = [], v4l2Encoders: [V4L2Encoder] = []) {
        self.listed = listed
        self.gpus = gpus
        self.v4l2Encoders = v4l2Encoders
    }

    /// Updates the GPUs. A missing GPU stays in `gpus` and is in `gone`, so that the catalogue can still answer for a
    /// group that used it.
    package mutating func update(_ present: [GPU]) {
        // A driver's library alone is a reason to assume a GPU. After a real GPU of the driver was seen, no other is
        // assumed: the real one is only missing.
        let seenDrivers = Set(gpus.filter { !$0.isAssumed }.map(\.driver))
        // If a GPU had a render node and now has none, it is being added or removed, and counts as missing.
        let slotsWithRenderNode = Set(gpus.filter { $0.renderNode != nil }.map(\.slot))
        let present = present.filter { gpu in
            gpu.isAssumed
                ? !seenDrivers.contains(gpu.driver)
                : gpu.renderNode != nil || !slotsWithRenderNode.contains(gpu.slot)
        }
        let missing = gpus.filter { known in !present.contains { $0.slot == known.slot } }.suffix(Self.mostMissing)
        gone = Set(missing.map(\.slot))
        gpus = (present + missing).sorted { $0.slot < $1.slot }
    }

    /// The most missing GPUs that are remembered, so that a dock with changing slots does not fill the memory.
    private static let mostMissing = 16

    /// Returns the candidates of a family for a codec on this box. GPUs are in the order of their slots.
    package func candidates(_ family: EncoderFamily, _ codec: VideoCodec) -> [EncoderCandidate] {
        EncoderName.all.filter { $0.family == family && $0.codec == codec }.flatMap {
            candidates(named: $0.name, on: nil)
        }
    }

    /// Returns the candidates with an encoder of this name, on one GPU or on each GPU that may have the encoder.
    package func candidates(named name: String, on slot: String?) -> [EncoderCandidate] {
        guard let encoder = EncoderName.known(name) else { return [] }
        switch encoder.family {
        case .software: return [EncoderCandidate(name)]
        case .v4l2m2m:
            return v4l2Encoders.contains { $0.codecs.contains(encoder.codec.rawValue) } ? [EncoderCandidate(name)] : []
        case .vaapi, .qsv, .nvenc:
            return gpus.filter { mayHave(encoder.family, on: $0) && (slot == nil || $0.slot == slot) }
                .map { EncoderCandidate(name, gpu: $0.slot) }
        }
    }

    /// Whether a GPU can have encoders of a family, judged by its driver and its nodes.
    private func mayHave(_ family: EncoderFamily, on gpu: GPU) -> Bool {
        switch family {
        case .nvenc: gpu.driver == "nvidia"
        case .qsv: gpu.renderNode != nil && (gpu.driver == "i915" || gpu.driver == "xe")
        case .vaapi: gpu.renderNode != nil && gpu.driver != "nvidia"
        case .software, .v4l2m2m: false
        }
    }

    /// Returns the FFmpeg options for a candidate. `nil` if its GPU is gone, or if there is no recipe for it.
    ///
    /// - Parameter scalesOnGPU: Whether the GPU scales the frames, if its family can.
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
            // CUDA numbers its devices by slot, because the recipe sets CUDA_DEVICE_ORDER. With one device no number is
            // needed.
            return gpu.map { gpu in
                NVENCRecipe(codec: encoder.codec, index: nvidia.count > 1 ? nvidia.firstIndex(of: gpu) : nil)
            }
        }
    }

    /// The standing of a candidate before any trial.
    package func initialStanding(of candidate: EncoderCandidate) -> Standing {
        guard listed.contains(candidate.name) else {
            return .failed("the installed FFmpeg does not have \(candidate.name)")
        }
        guard recipe(for: candidate) != nil else {
            return .failed(
                candidate.codec == .av1
                    ? "the service cannot carry AV1 between its processes; use h264 or hevc" : "its GPU is gone")
        }
        if let problem = gpus.first(where: { $0.slot == candidate.gpu })?.accessProblem {
            return .failed(FailureReason(problem))
        }
        return candidate.isSoftware ? .usable : .untried
    }
}
