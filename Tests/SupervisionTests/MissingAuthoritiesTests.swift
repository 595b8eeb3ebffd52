import BoxConfiguration
import Testing

@testable import Supervision

/// The servers that cannot be checked on a system without authorities.
@Suite struct MissingAuthoritiesTests {
    private func configuration() throws -> BoxConfiguration {
        try ConfigurationFile.parse(
            """
            channels:
              - name: main
                sources:
                  - pull: { url: "https://h/x.ts" }
                  - pull: { url: "http://h/x.ts" }
                groups:
                  - name: hd
                    targets:
                      - { name: one, url: "rtmps://h/a", key: { env: K } }
                      - { name: two, url: "rtmps://h/a", key: { env: K }, tls: { verify: none } }
                      - { name: three, url: "rtmps://h/a", key: { env: K }, tls: { ca: "\(#filePath)" } }
                      - { name: four, url: "rtmp://h/a", key: { env: K } }

            """, name: "test", ownerOnly: true
        ).configuration
    }

    @Test("without authorities every address checked against them is a notice with the fix")
    func missing() throws {
        let notices = MissingAuthorities.notices(for: try configuration(), areInstalled: false)
        #expect(notices.map { $0.prefix { $0 != ":" } } == ["source pull-0 of main", "target one"])
        #expect(notices.allSatisfy { $0.contains("are not installed") && $0.hasSuffix("package ca-certificates") })
    }

    @Test("with the system's authorities there is no notice")
    func installed() throws {
        #expect(MissingAuthorities.notices(for: try configuration(), areInstalled: true).isEmpty)
    }
}
