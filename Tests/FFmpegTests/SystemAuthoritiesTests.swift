import TestSupport
import Testing

@testable import FFmpeg

@Suite struct SystemAuthoritiesTests {
    @Test("a file of authorities counts if it is not empty")
    func files() async throws {
        try await withTemporaryFolder { folder in
            let full = try folder.write("full.crt", "-----BEGIN CERTIFICATE-----\n")
            let empty = try folder.write("empty.crt", "")
            #expect(SystemAuthorities.areInstalled(in: [empty, full]))
            #expect(!SystemAuthorities.areInstalled(in: [empty, folder.path("none.crt")]))
        }
    }
}
