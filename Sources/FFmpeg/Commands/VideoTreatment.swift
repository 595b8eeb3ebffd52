/// The treatment of the video by an encoder.
package enum VideoTreatment: Sendable {
    case copy
    case encode(VideoSettings, with: any EncoderRecipe)
}
