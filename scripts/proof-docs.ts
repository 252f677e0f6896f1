/**
 * `npm run proof`: writes the invariants of the simulation into docs/proof.md and its translation. test/docs.test.ts fails when the
 * docs are out of date.
 */

import type { Language } from '../functions/shared/language.ts';
import { invariants } from '../test/simulation/invariants.ts';
import { tableOf, withParts, writeParts } from './generated.ts';

const HEADS: Record<Language, readonly string[]> = { en: ['id', 'invariant'], ko: ['id', '불변식'] };

export const PROOF_DOCS = { en: 'docs/proof.md', ko: 'docs/proof.ko.md' } as const;

const parts = (language: Language) => ({
  invariants: tableOf(
    HEADS[language],
    invariants.map((invariant) => [invariant.id, invariant[language]]),
  ),
});

/** The text that the document should have. @throws Error when it has no marks for the table */
export const withInvariants = (language: Language): string => withParts(PROOF_DOCS[language], parts(language));

if (import.meta.main) writeParts(PROOF_DOCS, parts);
