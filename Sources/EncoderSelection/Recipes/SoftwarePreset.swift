import BoxConfiguration
package import FFmpeg
package import MediaTypes

/// The presets of the software encoders.
package enum SoftwarePreset {
    /// The preset's name, for FFmpeg.
    package static func name(_ effort: EncoderEffort, for codec: VideoCodec) -> String {
        codec == .hevc ? Libx265Recipe(effort: effort).preset : Libx264Recipe(effort: effort).preset
    }

    /// Returns the efforts that have different presets, the one with the most work first.
    package static func efforts(for codec: VideoCodec) -> [EncoderEffort] {
        var names: Set<String> = []
        return EncoderEffort.allCases.filter { names.insert(name($0, for: codec)).inserted }
    }
}
