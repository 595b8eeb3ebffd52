import MediaTypes
import Redaction

/// A summary of a configuration as the service understands it: plain text of at most 80 columns. It names the places of
/// secrets and masks URLs.
package enum ConfigurationSummary {
    package static let width = 80

    package static func render(_ configuration: BoxConfiguration) -> String {
        var page = Page()
        let groups = configuration.channels.flatMap(\.groups)
        page.add(
            0, "",
            [
                count(configuration.channels.count, "channel"), count(groups.count, "group"),
                count(groups.flatMap(\.targets).count, "target"),
            ].joined(separator: ", "))
        page.add(0, "ffmpeg", configuration.ffmpeg ?? "the first on PATH")
        if let runtime = configuration.runtime { page.add(0, "runtime", runtime) }
        if let state = configuration.state { page.add(0, "state", state) }
        page.add(0, "status", status(configuration.status))
        page.add(0, "encoders", configuration.encoders.order.map(\.rawValue).joined(separator: ", "))
        for channel in configuration.channels { add(channel, to: &page) }
        return page.text
    }

    private static func add(_ channel: ChannelConfiguration, to page: inout Page) {
        page.addBlank()
        page.add(0, "channel", channel.name)
        for (index, source) in channel.sources.enumerated() {
            page.add(2, index == 0 ? "sources" : "", "\(index + 1). \(source.id): \(describe(source.kind))", hang: 3)
        }
        page.add(2, "slate", describe(channel.slate))
        let interval = DurationNotation.text(channel.mezzanine.keyframeInterval)
        page.add(2, "mezzanine", "\(channel.mezzanine.bitrate), a keyframe every \(interval)")
        if channel.tap { page.add(2, "tap", "yes") }
        for group in channel.groups {
            page.add(2, "group", group.name)
            page.add(4, "video", describe(group.video))
            page.add(4, "audio", describe(group.audio))
            if group.tap { page.add(4, "tap", "yes") }
            for target in group.targets {
                page.add(4, "target", "\(target.name): \(describe(target.destination))", hang: 2)
            }
        }
    }

    // MARK: Descriptions

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    private static func status(_ status: StatusConfiguration) -> String {
        var parts: [String] = []
        if let file = status.file { parts.append("\(file) every \(DurationNotation.text(status.every))") }
        if let listen = status.listen { parts.append("http://\(listen)") }
        return parts.isEmpty ? "none" : parts.joined(separator: ", ")
    }

    private static func describe(_ kind: SourceKind) -> String {
        switch kind {
        case .rtmp(let source):
            return "listens on \(source.listen), app \(source.app)" + secret("key", source.key)
        case .srt(let source):
            return "listens on \(source.listen)" + secret("passphrase", source.passphrase)
                + secret("stream id", source.streamid)
                + program(source.program)
        case .pull(let source):
            return "pulls \(URLMask.mask(source.url))" + secret("passphrase", source.passphrase)
                + secret("stream id", source.streamid) + secret("password", source.password)
                + program(source.program)
        case .capture(let source):
            let card =
                switch source.binding {
                case .serial(let serial): "card with serial \(serial)"
                case .path(let path): "card at \(path)"
                case .model(let model): "card of model \(model)"
                case .any: "any card"
                }
            return card + (source.size.map { ", \($0)" } ?? "") + (source.rate.map { ", \($0.notation) fps" } ?? "")
                + ", audio \(source.audio)"
        case .raw(let source):
            return "reads \(source.path), \(source.size), \(source.rate.notation) fps, \(source.pixels.rawValue)"
        case .file(let source):
            return "plays \(source.path)\(source.loop ? " in a loop" : " once")" + program(source.program)
        case .test(let source): return "test picture, \(source.size), \(source.rate.notation) fps"
        }
    }

    private static func describe(_ slate: SlateConfiguration) -> String {
        "after \(DurationNotation.text(slate.after)), " + (slate.image.map { "image \($0)" } ?? "plain card")
            + (slate.text.map { ", text \"\($0)\"" } ?? "")
    }

    private static func describe(_ video: VideoOutput) -> String {
        guard case .encode(let encoding) = video else { return "copy" }
        return [
            encoding.codec.rawValue, "encoder \(encoding.encoder)", encoding.size?.description ?? "size of the source",
            encoding.frameRate.map { "\($0.notation) fps" } ?? "rate of the source", "\(encoding.bitrate)",
            "a keyframe every \(DurationNotation.text(encoding.keyframeInterval))",
        ].joined(separator: ", ") + (encoding.profile.map { ", profile \($0)" } ?? "")
            + (encoding.fit == .pad ? "" : ", fit \(encoding.fit.rawValue)")
            + (encoding.deinterlace == .auto ? "" : ", deinterlace \(encoding.deinterlace.rawValue)")
    }

    private static func describe(_ audio: AudioOutput) -> String {
        guard case .encode(let encoding) = audio else { return "copy" }
        return
            """
            \(encoding.codec.rawValue), \(encoding.bitrate), \(encoding.rate) Hz, \
            \(count(encoding.channels, "channel"))
            """
    }

    private static func describe(_ destination: TargetDestination) -> String {
        switch destination {
        case .rtmp(let target): URLMask.mask(target.url) + secret("key", target.key)
        case .srt(let target):
            URLMask.mask(target.url) + secret("passphrase", target.passphrase) + secret("stream id", target.streamid)
        case .record(let target):
            "records into \(target.folder), a file every \(DurationNotation.text(target.segment)), "
                + (target.keep.map { "keeps \($0)" } ?? "keeps everything")
        }
    }

    private static func program(_ number: Int?) -> String { number.map { ", program \($0)" } ?? "" }

    private static func secret(_ name: String, _ reference: SecretReference?) -> String {
        reference.map { ", \(name) \($0)" } ?? ""
    }

    /// Lines that begin with a label, wrapped between words. A word that is longer than a line is cut.
    private struct Page {
        private(set) var text = ""
        private static let labelWidth = 11

        mutating func addBlank() { text += "\n" }

        mutating func add(_ indent: Int, _ label: String, _ value: String, hang: Int = 0) {
            let labelWidth = indent == 0 && label.isEmpty ? 0 : Self.labelWidth
            let start = indent + labelWidth
            var line = String(repeating: " ", count: indent) + label
            line += String(repeating: " ", count: max(start - line.count, 0))
            var isEmptyLine = true
            for word in value.split(separator: " ") {
                if !isEmptyLine, line.count + 1 + word.count > ConfigurationSummary.width {
                    text += line + "\n"
                    line = String(repeating: " ", count: start + hang)
                    isEmptyLine = true
                }
                line += isEmptyLine ? "" : " "
                let room = ConfigurationSummary.width - line.count
                line += word.count > room ? word.prefix(room - 1) + "…" : word
                isEmptyLine = false
            }
            text += line + "\n"
        }
    }
}
