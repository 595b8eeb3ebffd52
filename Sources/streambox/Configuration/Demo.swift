import BoxConfiguration

/// The configuration of `streambox run` on a machine without a configuration file.
enum Demo {
    static let folder = "./streambox-demo"

    static let yaml = """
        # The embedded demo configuration. Copy it, change it, and start `streambox run --config FILE`.
        channels:
          - name: demo
            sources:
              - rtmp: { listen: "127.0.0.1:1935", app: live }
              - test: { size: 1280x720, rate: 30 }
            tap: true
            groups:
              - name: hd
                video: { codec: h264, encoder: auto, size: 1280x720, rate: 30, bitrate: 3M, keyframe: 2s,
                  profile: high }
                audio: { codec: aac, bitrate: 128k }
                tap: true
                targets:
                  - { name: demo-recording, record: { folder: \(folder), segment: 1m, keep: 1G } }
        """
}
