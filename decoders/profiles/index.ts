/** Every profile there is. A new one is a file of its own and a line here; those of a vendor are given at run time. */
import aidon from './aidon.json' with { type: 'json' }
import amisNetzooe from './amis-netzooe.json' with { type: 'json' }
import czDescriptorList from './cz-descriptor-list.json' with { type: 'json' }
import iskraAm550Ch from './iskra-am550-ch.json' with { type: 'json' }
import iskraAm550Obis from './iskra-am550-obis.json' with { type: 'json' }
import iskraAm550Si from './iskra-am550-si.json' with { type: 'json' }
import iskraIe5Hr from './iskra-ie5-hr.json' with { type: 'json' }
import kaifaAtStruct from './kaifa-at-struct.json' with { type: 'json' }
import kaifaNetznoe from './kaifa-netznoe.json' with { type: 'json' }
import kaifaTinetz from './kaifa-tinetz.json' with { type: 'json' }
import kamstrupCh from './kamstrup-ch.json' with { type: 'json' }
import kamstrupCt from './kamstrup-ct.json' with { type: 'json' }
import kamstrupDk from './kamstrup-dk.json' with { type: 'json' }
import kamstrupDkCv from './kamstrup-dk-cv.json' with { type: 'json' }
import kamstrupDkNve from './kamstrup-dk-nve.json' with { type: 'json' }
import lgE360Ch from './lg-e360-ch.json' with { type: 'json' }
import lgE450AtObis from './lg-e450-at-obis.json' with { type: 'json' }
import lgE450Burgenland from './lg-e450-burgenland.json' with { type: 'json' }
import lgE450Ch from './lg-e450-ch.json' with { type: 'json' }
import lgE570Ch from './lg-e570-ch.json' with { type: 'json' }
import sagemcomNetznoe from './sagemcom-netznoe.json' with { type: 'json' }
import wienernetze9 from './wienernetze-9.json' with { type: 'json' }

/**
 * Profile files as they are, in the order in which they are tried: of two that fit a list the first counts, so that
 * those with more to say stand before those with less.
 */
export const PROFILE_FILES: readonly unknown[] = [
  kamstrupDk,
  kamstrupCt,
  kamstrupDkNve,
  kamstrupDkCv,
  kamstrupCh,
  kaifaNetznoe,
  sagemcomNetznoe,
  kaifaTinetz,
  kaifaAtStruct,
  amisNetzooe,
  lgE450AtObis,
  lgE450Burgenland,
  iskraAm550Obis,
  lgE570Ch,
  lgE450Ch,
  lgE360Ch,
  iskraAm550Ch,
  iskraAm550Si,
  wienernetze9,
  iskraIe5Hr,
  czDescriptorList,
  aidon,
]
