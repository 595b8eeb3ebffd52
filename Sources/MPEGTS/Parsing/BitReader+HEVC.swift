extension BitReader {
    /// Skips the coding parameters of an HEVC sequence parameter set, from the end of the cropping to the flag of the
    /// VUI (ITU-T H.265, 7.3.2.2.1).
    ///
    /// - Parameter subLayers: Temporal sub-layers above the first.
    /// - Returns: Whether they are valid.
    mutating func skipHEVCCoding(subLayers: Int) -> Bool {
        // Bit depths.
        skipGolombs(2)
        let countBits = readGolomb() + 4
        guard countBits <= 16 else { return false }
        let hasAllSubLayers = read(1) == 1
        skipGolombs(3 * (hasAllSubLayers ? subLayers + 1 : 1))
        // Sizes of blocks and depths of transforms.
        skipGolombs(6)
        // Explicit scaling lists.
        if read(1) == 1, read(1) == 1 { skipHEVCScalingLists() }
        skip(2)
        // PCM.
        if read(1) == 1 {
            skip(8)
            skipGolombs(2)
            skip(1)
        }
        guard skipReferenceSets() else { return false }
        // Long-term reference pictures.
        if read(1) == 1 {
            let count = readGolomb()
            guard count <= 32 else { return false }
            skip(count * (countBits + 1))
        }
        skip(2)
        return !isExhausted
    }

    private mutating func skipGolombs(_ count: Int) {
        for _ in 0..<count { _ = readGolomb() }
    }

    /// ITU-T H.265, 7.3.4.
    private mutating func skipHEVCScalingLists() {
        for size in 0..<4 {
            for _ in stride(from: 0, to: 6, by: size == 3 ? 3 : 1) {
                // The list is predicted from another one.
                guard read(1) == 1 else {
                    _ = readGolomb()
                    continue
                }
                skipGolombs((size > 1 ? 1 : 0) + min(64, 16 << (2 * size)))
            }
        }
    }

    /// Skips the sets of short-term reference pictures (ITU-T H.265, 7.3.7).
    ///
    /// - Returns: Whether they are valid.
    private mutating func skipReferenceSets() -> Bool {
        let count = readGolomb()
        guard count <= 64 else { return false }
        /// The number of pictures in the previous set.
        var pictures = 0
        for index in 0..<count {
            if index > 0, read(1) == 1 {
                // The set is predicted from the previous one.
                skip(1)
                _ = readGolomb()
                var kept = 0
                for _ in 0...pictures {
                    // Used by this picture, or by later ones.
                    let isUsed = read(1) == 1
                    if isUsed || read(1) == 1 { kept += 1 }
                }
                pictures = kept
            } else {
                let (before, after) = (readGolomb(), readGolomb())
                guard before <= 16, after <= 16 else { return false }
                pictures = before + after
                for _ in 0..<pictures {
                    _ = readGolomb()
                    skip(1)
                }
            }
            guard !isExhausted, pictures <= 32 else { return false }
        }
        return true
    }
}
