import MediaTypes
import Redaction

extension ConfigurationReader {
    private static let targetKeys = ["name", "url", "key", "passphrase", "streamid", "tls", "record"]

    func targets(_ fields: Fields, video: VideoOutput) -> [TargetConfiguration] {
        guard let pair = fields["targets"],
            let nodes = list(
                pair.value, what: "targets", example: "targets: [{ name: twitch, url: \"rtmp://host/app\" }]")
        else { return [] }
        return nodes.compactMap { target($0, video: video) }
    }

    private func target(_ node: YAMLNode, video: VideoOutput) -> TargetConfiguration? {
        guard let fields = fields(node, what: "a target", allowed: Self.targetKeys) else { return nil }
        let name = name(fields, kind: .target)
        guard let destination = destination(fields, name: name) else { return nil }
        if case .rtmp = destination, case .encode(let encoding) = video, encoding.codec != .h264 {
            warning(
                node.location,
                """
                target '\(name)' gets \(encoding.codec.rawValue) over RTMP, which many servers reject and FFmpeg \
                sends only from version 6.1 on; h264 works everywhere
                """
            )
        }
        return TargetConfiguration(name: name, destination: destination, location: node.location)
    }

    private func destination(_ fields: Fields, name: String) -> TargetDestination? {
        switch (fields["url"], fields["record"]) {
        case (nil, nil):
            error(fields.location, "target '\(name)' has no destination; write url: or record:")
            return nil
        case (.some, let record?):
            error(record.keyLocation, "target '\(name)' has both url and record; split it into two targets")
            return nil
        case (nil, let record?):
            refuse(["key", "passphrase", "streamid", "tls"], in: fields, of: "a recording")
            return self.record(record.value).map(TargetDestination.record)
        case (.some, nil):
            guard let (url, parts) = url(fields, schemes: TargetDestination.schemes, example: "rtmp://host/app") else {
                // The secrets are read all the same, so that one pass finds every mistake.
                _ = secret(fields, "key", use: .key)
                _ = secret(fields, "passphrase", use: .passphrase)
                _ = secret(fields, "streamid", use: .streamid)
                return nil
            }
            return parts.scheme == "srt"
                ? .srt(srtTarget(fields, url, parts)) : .rtmp(rtmpTarget(fields, url, parts))
        }
    }

    private func rtmpTarget(_ fields: Fields, _ url: String, _ parts: URLParts) -> RTMPTarget {
        refuse(["passphrase", "streamid"], in: fields, of: "an rtmp target", fix: "write a stream key as key:")
        let key = secret(fields, "key", use: .key)
        let location = fields.location(of: "url")
        if parts.segments.isEmpty {
            warning(
                location,
                """
                url '\(Printable.excerpt(URLMask.mask(url)))' names no application, which RTMP servers expect; \
                write for instance \(parts.scheme)://\(parts.host)/live
                """
            )
        }
        if !ownerOnly, parts.hasUserInfo || !parts.query.isEmpty || (key == nil && parts.segments.count > 1) {
            warning(
                location,
                """
                the url seems to hold a stream key or a password, and other users can read this file; write it as \
                key: { file: PATH }, or run: chmod 600 \(file)
                """
            )
        }
        return RTMPTarget(url: url, key: key, tls: tls(fields, parts))
    }

    private func srtTarget(_ fields: Fields, _ url: String, _ parts: URLParts) -> SRTTarget {
        refuse(["key", "tls"], in: fields, of: "an srt target", fix: "SRT has passphrase: and streamid:")
        let location = fields.location(of: "url")
        checkSRT(parts, owner: "the srt target", at: location)
        let passphrase = secret(fields, "passphrase", use: .passphrase)
        let streamid = secret(fields, "streamid", use: .streamid)
        refuseTwice(["passphrase", "streamid"], in: fields, parts)
        if !fields.has("passphrase"), let written = parts.value(of: "passphrase") {
            if !ownerOnly {
                error(
                    location,
                    """
                    the url holds a passphrase, and other users can read this file; write it as passphrase: { file: \
                    PATH }, or run: chmod 600 \(file)
                    """
                )
            } else if let objection = SecretUse.passphrase.objection(to: Secret(written)) {
                error(location, "the passphrase in the url \(objection)")
            }
        }
        if !ownerOnly, !fields.has("streamid"), parts.value(of: "streamid") != nil {
            warning(
                location,
                """
                the url holds a stream id, and other users can read this file; write it as streamid: { file: PATH \
                }, or run: chmod 600 \(file)
                """
            )
        }
        return SRTTarget(url: url, passphrase: passphrase, streamid: streamid)
    }

    private func record(_ node: YAMLNode) -> RecordTarget? {
        guard let fields = fields(node, what: "record", allowed: ["folder", "segment", "keep"]) else { return nil }
        let folder = fields.requiredText(
            "folder", expecting: "the path of a folder, for instance /var/lib/streambox/rec")
        if let folder {
            let location = fields.location(of: "folder")
            if let other = registry.claim(folder: folder, at: location) {
                error(
                    location,
                    """
                    the folder \(Printable.excerpt(folder)) is already recorded into in line \(other.line); give \
                    each target its own folder
                    """
                )
            }
        }
        let segment = fields.duration("segment", default: .seconds(600), in: RecordTarget.segmentLimits)
        let keep = fields.value("keep", expecting: ByteCount.expectedForm) { text throws(ParseError) in
            let keep = try ByteCount(parsing: text)
            guard keep >= RecordTarget.keepMinimum else {
                throw ParseError("is too little; allowed: \(RecordTarget.keepMinimum) and more")
            }
            return keep
        }
        return folder.map { RecordTarget(folder: $0, segment: segment, keep: keep) }
    }
}
