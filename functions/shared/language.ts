/** The languages of the buyer's texts. */

export type Language = 'ko' | 'en';

/** A text in every language: a missing one does not compile. */
export type Localized = Readonly<Record<Language, string>>;
