/// The order in time of the two fields that the frames of an interlaced card consist of.
package enum FieldOrder: String, Sendable, Hashable {
    case topFirst, bottomFirst
}
