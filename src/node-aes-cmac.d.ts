declare module 'node-aes-cmac' {
  /** AES-CMAC (RFC 4493). A key given as text would be taken as characters, not as hex digits: only Buffers are declared. */
  export function aesCmac(key: Buffer, message: Buffer, options: { returnAsBuffer: true }): Buffer
}
