import Testing

@testable import DataPath

@Suite struct PublisherPatienceTests {
    @Test("a publisher that takes nothing is reported in time for a problem within ten seconds")
    func patience() {
        // Its pipe has 64 places, one of which at least is filled each time that it is served.
        #expect(Publisher.patience + 64 * Publisher.pace < 9_000_000_000)
    }
}
