import type { Tensor } from '../../formats/oip/tensor.ts';
import { outputsJson } from '../../formats/oip/write-response.ts';
import type { AnswerFrame } from './port.ts';

/** The answer's text, whichever thread writes it. */
export function answerJson(outputs: readonly Tensor[], frame: AnswerFrame): string {
  return `${frame.before}${outputsJson(outputs)}${frame.after}`;
}
