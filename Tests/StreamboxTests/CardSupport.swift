import TestSupport

extension Stage {
    /// A channel with a capture card and one target.
    func card(_ source: String, to url: String, slate: String = "1s", mezzanine: String = "1M") -> String {
        """
          - name: main
            sources: [ { capture: { \(source) } } ]
            slate: { after: \(slate) }
            mezzanine: { bitrate: \(mezzanine) }
            groups:
              - name: hd
                video: { encoder: libx264, size: 320x180, rate: 30, bitrate: 400k, keyframe: 1s }
                targets: [ { name: a, url: "\(url)" } ]
        """
    }
}

extension Daemon {
    /// Whether this encoder encodes the uncompressed frames of a source.
    func encodesFrames(_ encoder: String) -> Bool { children("-f ivf").contains { $0.command.contains(encoder) } }
}
