import Foundation
import Status
import TestSupport
import Testing

/// The metrics as Prometheus and its tools read them, and the alerts and the dashboard that use them.
@Suite(.serialized, .tags(.ffmpeg)) struct MonitoringTests {
    private static let rules = Document.root.appending(path: "docs/prometheus/streambox-alerts.yml").path
    private static let ruleTests = Document.root.appending(path: "docs/prometheus/streambox-alerts-test.yml").path

    /// The accepted remarks. Streams are measured in bits per second, and users' dashboards rely on the name;
    /// `streambox_feed_bytes_total` has the bytes.
    private static let remarks = [#"streambox_group_bitrate_bits_per_second use base unit "bytes" instead of "bits""#]

    @Test("promtool and node_exporter accept the metrics that dashboard and alerts use")
    func metrics() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx()
            let text = try stage.folder.makeFolder("text")
            let (http, down) = (try FreePort.tcp(), try FreePort.tcp())
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources:
                      - rtmp: { listen: "127.0.0.1:\(try FreePort.tcp())" }
                      - test: { size: 320x180, rate: 30 }
                    groups:
                      - name: hd
                        video: { encoder: libx264, bitrate: 500k }
                        targets:
                          - { name: platform, url: "\(sink.url("m0nitor"))" }
                          - { name: down, url: "rtmp://127.0.0.1:\(down)/live/m0nitor" }
                """, more: "status: { file: \(text)/streambox.prom, every: 500ms, listen: \"127.0.0.1:\(http)\" }\n")
            let exporter = try await stage.nodeExporter(folder: text)
            try await daemon.logged("msg=live", "target=platform")
            let encoder = try #require(daemon.children("libx264").first { !$0.command.contains("lavfi") })
            kill(encoder.pid, SIGKILL)
            try await daemon.logged("handed over", "group=hd")
            func read() throws -> [UInt8] { try stage.folder.read("text/streambox.prom") }
            // With a problem, an exit and a handover every family has a sample, except those of absent hardware.
            try await eventually("the metrics of the handover") {
                let text = String(decoding: try read(), as: UTF8.self)
                return ["streambox_problem{", "streambox_handovers_total{", "streambox_encoder_exits_total{"].allSatisfy
                { text.contains("\n\($0)") }
            }
            #expect(try await Promtool.remarks(on: try read()) == Self.remarks)
            #expect(
                try await Promtool.remarks(on: Array(try await HTTP.get(port: http, "/metrics").utf8)) == Self.remarks)

            // The metrics may change during a scrape.
            typealias Scrape = (file: MetricNames, text: String)
            let (file, scraped) = try await eventually("a scrape between changes") { () async throws -> Scrape? in
                let before = MetricNames(String(decoding: try read(), as: UTF8.self))
                let scraped = try await exporter.scrape()
                let after = MetricNames(String(decoding: try read(), as: UTF8.self))
                guard before.metrics == after.metrics else { return nil }
                return (file: before, text: scraped)
            }
            let exported = MetricNames(scraped)
            #expect(scraped.contains("node_textfile_scrape_error 0"))
            for (name, labels) in file.metrics where !labels.isEmpty || name.hasPrefix("process_") {
                #expect(exported.metrics[name]?.keys.sorted() == labels.keys.sorted(), "\(name)")
            }
            #expect(!exporter.program.errors.contains("level=error"), "\(exporter.program.errors.text)")

            // After an orderly stop there are no metrics to scrape.
            try await daemon.terminate()
            #expect(try await !exporter.scrape().contains("streambox_"))
            await stage.end(exporter.program)

            let all = file.merging(Self.hardware)
            #expect(all.unknown(in: try String(contentsOfFile: Self.rules, encoding: .utf8)) == [])
            for text in try Dashboard.read().texts { #expect(all.unknown(in: text) == [], "\(text)") }
        }
    }

    /// The metrics of the hardware that the machine of the tests may lack.
    private static let hardware = MetricNames(
        String(
            decoding: PrometheusText.render(
                BoxSnapshot(
                    version: "1", ffmpeg: "5.1", started: 1, updated: 2,
                    process: ProcessFigures(cpuSeconds: 1, residentBytes: 1, openDescriptors: 1),
                    gpus: [
                        GPUSnapshot(
                            slot: "0000:00:02.0", driver: "i915", node: "/dev/dri/renderD128", state: .ready,
                            trouble: nil)
                    ],
                    encoders: [EncoderSnapshot(name: "h264_vaapi", gpu: "0000:00:02.0", isUsable: true)],
                    captureDevices: [CaptureDeviceSnapshot(name: "Cam Link 4K", serial: "SN1", path: "usb-0:2")],
                    channels: [], problems: [])), as: UTF8.self))

    @Test("promtool accepts the alerts, and they fire as their tests expect")
    func alerts() async throws {
        try await Promtool.checkRules(Self.rules)
        try await Promtool.testRules(Self.ruleTests)
        let tests = try String(contentsOfFile: Self.ruleTests, encoding: .utf8)
        let names = try String(contentsOfFile: Self.rules, encoding: .utf8).matches(of: /alert: (\w+)/).map {
            String($0.1)
        }
        #expect(names.count >= 10)
        for name in names { #expect(tests.contains("alertname: \(name)\n"), "no test expects \(name)") }
    }

    @Test("every dashboard expression is PromQL, and no panels overlap")
    func dashboard() async throws {
        try await withStage { stage in
            let dashboard = try Dashboard.read()
            #expect(dashboard.panels.count > 30)
            let rules: [[String: String]] = dashboard.expressions.enumerated().map {
                ["record": "dashboard:\($0.offset)", "expr": Dashboard.filledIn($0.element)]
            }
            let file = try JSONSerialization.data(
                withJSONObject: ["groups": [["name": "dashboard", "rules": rules] as [String: Any]]],
                options: .withoutEscapingSlashes)
            try await Promtool.checkRules(try stage.folder.write("dashboard.json", bytes: Array(file)))

            #expect(Set(dashboard.panels.map(\.id)).count == dashboard.panels.count)
            for (index, panel) in dashboard.panels.enumerated() {
                #expect(panel.gridPos.x + panel.gridPos.w <= 24, "\(panel.title)")
                for other in dashboard.panels[..<index] {
                    #expect(!panel.gridPos.overlaps(other.gridPos), "\(panel.title) overlaps \(other.title)")
                }
            }
            for variable in ["box", "channel", "group"] {
                #expect(dashboard.templating.list.contains { $0.name == variable })
                #expect(dashboard.expressions.contains { $0.contains("$\(variable)") })
            }
        }
    }
}

/// The parts of the Grafana dashboard that the tests read.
private struct Dashboard: Decodable {
    struct Place: Decodable {
        var x, y, w, h: Int
        func overlaps(_ other: Place) -> Bool {
            x < other.x + other.w && other.x < x + w && y < other.y + other.h && other.y < y + h
        }
    }
    struct Target: Decodable {
        var expr: String
        var legendFormat: String?
    }
    struct Panel: Decodable {
        var id: Int
        var title: String
        var gridPos: Place
        var targets: [Target]?
    }
    struct Variable: Decodable {
        var name: String
        var definition: String?
    }
    struct Annotation: Decodable {
        var expr: String?
        var titleFormat: String?
    }
    struct List<Element: Decodable>: Decodable { var list: [Element] }

    var panels: [Panel]
    var templating: List<Variable>
    var annotations: List<Annotation>

    static func read() throws -> Dashboard {
        try JSONDecoder().decode(
            Dashboard.self, from: Data(contentsOf: Document.root.appending(path: "docs/grafana/streambox.json")))
    }

    var expressions: [String] { panels.flatMap { $0.targets ?? [] }.map(\.expr) + annotations.list.compactMap(\.expr) }

    /// Every text that names metrics or labels. A legend, variable or title is in one text with its expression.
    var texts: [String] {
        panels.flatMap { $0.targets ?? [] }.map {
            "\($0.expr) \($0.legendFormat == "__auto" ? "" : $0.legendFormat ?? "")"
        }
            + templating.list.compactMap { variable in
                variable.definition.map { "\($0) {{\(variable.name == "box" ? "instance" : variable.name)}}" }
            }
            + annotations.list.filter { $0.expr?.contains("ALERTS") == false }.map {
                "\($0.expr ?? "") \($0.titleFormat ?? "")"
            }
    }

    /// An expression as Grafana sends it to Prometheus.
    static func filledIn(_ expression: String) -> String {
        var text = expression.replacingOccurrences(of: "$__rate_interval", with: "1m").replacingOccurrences(
            of: "$__range", with: "3h")
        for variable in ["$box", "$channel", "$group"] { text = text.replacingOccurrences(of: variable, with: "(a|b)") }
        return text
    }
}
